import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { METRIC_NAMESPACE, METRICS } from '../functions/platform/metric-names.ts';
import type { JobResult } from '../functions/transfer/ports.ts';

/** How a job can end an invocation, as `Runs` counts it. */
type Outcome = JobResult['outcome'];

/** Whether an outcome counts as a backup that happened, as one that did not, or as neither. */
const WORTH = {
  succeeded: 'good',
  failed: 'bad',
  'gave up': 'bad',
  skipped: 'neither',
  retrying: 'neither',
  continued: 'neither',
  duplicate: 'neither',
} as const satisfies Record<Outcome, 'good' | 'bad' | 'neither'>;

export const OUTCOMES = Object.entries(WORTH).map(([outcome, worth]) => ({ outcome, worth }));

/** Jobs of one outcome: dimensions `service` and `outcome`. */
export function runs(outcome: string, period: Duration): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: METRICS.runs,
    dimensionsMap: { service: 'transfer', outcome },
    statistic: 'Sum',
    period,
    label: outcome,
  });
}

/** A number that one function reports of itself: dimension `service`. */
export function ofService(
  service: 'enqueue-due' | 'settings-changed' | 'sweep',
  metric: keyof typeof METRICS,
  statistic: 'Sum' | 'Maximum',
): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: METRICS[metric],
    dimensionsMap: { service },
    statistic,
    period: Duration.minutes(5),
    label: `${METRICS[metric]} (${service})`,
  });
}

/** One line for each type of destination that there is: dimensions `service` and `type`. */
export function byDestinationType(
  metric: 'archivesDelivered' | 'bytesDelivered' | 'transferDuration',
  statistic: 'Sum' | 'p90',
): MathExpression {
  return new MathExpression({
    expression: `SEARCH('{${METRIC_NAMESPACE},service,type} MetricName="${METRICS[metric]}"', '${statistic}', 300)`,
    usingMetrics: {},
    label: '',
    period: Duration.minutes(5),
  });
}

/** Percent of the jobs ended within an hour that did not deliver; 0 while fewer than `minimumRuns` ended. */
export function failureRate(minimumRuns: number): MathExpression {
  const period = Duration.hours(1);
  const idOf = (outcome: string) => outcome.replaceAll(' ', '_');
  const ended = OUTCOMES.filter(({ worth }) => worth !== 'neither');
  // An outcome that did not happen has no data, and adding to no data gives none.
  const sum = (counted: typeof ended) =>
    `(${counted.map(({ outcome }) => `FILL(${idOf(outcome)}, 0)`).join(' + ')})`;
  const bad = sum(ended.filter(({ worth }) => worth === 'bad'));
  return new MathExpression({
    expression: `IF(${sum(ended)} >= ${minimumRuns}, 100 * ${bad} / ${sum(ended)}, 0)`,
    usingMetrics: Object.fromEntries(
      ended.map(({ outcome }) => [idOf(outcome), runs(outcome, period)]),
    ),
    label: 'failed %',
    period,
  });
}

/**
 * Messages in a queue, also those that somebody is looking at.
 * @param name what they are, as one word
 */
export function messagesIn(queue: IQueue, name: string): MathExpression {
  const options = { statistic: 'Maximum', period: Duration.minutes(5) };
  return new MathExpression({
    expression: `${name}Visible + ${name}Hidden`,
    usingMetrics: {
      [`${name}Visible`]: queue.metricApproximateNumberOfMessagesVisible(options),
      [`${name}Hidden`]: queue.metricApproximateNumberOfMessagesNotVisible(options),
    },
    label: name,
    period: Duration.minutes(5),
  });
}
