import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  PeriodOverride,
  Row,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Operation, type Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { byDestinationType, messagesIn, OUTCOMES, ofService, runs } from './metrics.ts';
import type { PipelineStack } from './pipeline-stack.ts';
import type { StateStack } from './state-stack.ts';

export interface PipelineDashboardProps {
  readonly name: string;
  readonly alarms: Alarms;
  readonly pipeline: PipelineStack;
  readonly state: StateStack;
}

const FULL_WIDTH = 24;
const FIVE_MINUTES = Duration.minutes(5);

/** One page from the question that matters, "are users safe", down to the parts. */
export class PipelineDashboard extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: PipelineDashboardProps) {
    super(scope, id);
    this.name = props.name;
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: props.name,
      defaultInterval: Duration.days(1),
      periodOverride: PeriodOverride.INHERIT,
    });
    dashboard.addWidgets(
      new AlarmStatusWidget({ title: 'Alarms', alarms: props.alarms.all, width: FULL_WIDTH }),
      ...section('Are users safe?', users()),
      ...section('Queue', queue(props.pipeline)),
      ...section('Functions', functions(props.pipeline)),
      ...section('Tables', tables(props.state)),
    );
  }
}

function users(): IWidget[] {
  return [
    graph(
      'Backups by outcome',
      OUTCOMES.map(({ outcome }) => runs(outcome, FIVE_MINUTES)),
      'stacked',
    ),
    graph('Archives delivered and proven', [byDestinationType('archivesDelivered', 'Sum')]),
    graph('Bytes delivered and proven', [byDestinationType('bytesDelivered', 'Sum')]),
  ];
}

function queue({ jobs, enqueueDue, settingsChanged, sweep }: PipelineStack): IWidget[] {
  return [
    graph('Jobs', [
      jobs.queue.metricApproximateNumberOfMessagesVisible({ label: 'waiting' }),
      jobs.queue.metricApproximateNumberOfMessagesNotVisible({
        label: 'under way or waiting to retry',
      }),
      ofService('enqueue-due', 'jobsEnqueued', 'Sum'),
    ]),
    graph('Lateness in seconds', [
      jobs.queue.metricApproximateAgeOfOldestMessage({ label: 'oldest job on the queue' }),
      ofService('enqueue-due', 'enqueueLag', 'Maximum'),
    ]),
    graph('Dead letters and unreadable settings', [
      messagesIn(jobs.deadLetters, 'jobs'),
      messagesIn(enqueueDue.deadLetters, 'ticks'),
      messagesIn(settingsChanged.deadLetters, 'changes'),
      messagesIn(sweep.deadLetters, 'sweeps'),
      ofService('settings-changed', 'invalidRows', 'Sum'),
      ofService('enqueue-due', 'invalidRows', 'Sum'),
    ]),
    graph('Lost jobs', [
      ofService('sweep', 'jobsSwept', 'Sum'),
      ofService('sweep', 'jobsLeft', 'Maximum'),
      ofService('sweep', 'jobsGivenUp', 'Sum'),
    ]),
  ];
}

function functions(pipeline: PipelineStack): IWidget[] {
  const { check, enqueueDue, settingsChanged, sweep, transfer } = pipeline;
  const all = [enqueueDue, settingsChanged, transfer, sweep, check].map((each) => each.function);
  return [
    graph(
      'Errors and throttles',
      all.flatMap(({ name, lambda }) => [
        lambda.metricErrors({ label: `${name} errors` }),
        lambda.metricThrottles({ label: `${name} throttles` }),
      ]),
    ),
    graph(
      'Longest invocation in ms',
      all.map(({ name, lambda }) => lambda.metricDuration({ label: name, statistic: 'Maximum' })),
    ),
    graph('Time for one archive in ms (p90)', [byDestinationType('transferDuration', 'p90')]),
  ];
}

function tables({ settings, runs: runsTable }: StateStack): IWidget[] {
  const both: readonly (readonly [string, Table])[] = [
    ['settings', settings],
    ['runs', runsTable],
  ];
  const used = [Operation.GET_ITEM, Operation.PUT_ITEM, Operation.QUERY, Operation.UPDATE_ITEM];
  return [
    graph(
      'Capacity units',
      both.flatMap(([name, table]) => [
        table.metricConsumedReadCapacityUnits({ label: `${name} read` }),
        table.metricConsumedWriteCapacityUnits({ label: `${name} written` }),
      ]),
    ),
    graph(
      'Throttled requests',
      both.flatMap(([name, table]) =>
        used.map((operation) =>
          table.metricThrottledRequestsForOperation(operation, { label: `${name} ${operation}` }),
        ),
      ),
    ),
  ];
}

function section(title: string, widgets: IWidget[]): IWidget[] {
  return [
    new TextWidget({ markdown: `## ${title}`, width: FULL_WIDTH, height: 1 }),
    new Row(...widgets),
  ];
}

function graph(title: string, left: IMetric[], look: 'lines' | 'stacked' = 'lines'): GraphWidget {
  return new GraphWidget({
    title,
    left,
    stacked: look === 'stacked',
    width: 8,
    period: FIVE_MINUTES,
  });
}
