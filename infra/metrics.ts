import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { METRIC_NAMESPACE, METRICS } from '../functions/platform/metric-names.ts';

/** How a job can end an invocation, as `Runs` counts it. */
export type Outcome = 'succeeded' | 'failed' | 'skipped' | 'retrying' | 'continued';

/** Jobs of one outcome: dimensions `service` and `outcome`. */
export function runs(outcome: Outcome, period: Duration): Metric {
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
  service: 'enqueue-due' | 'settings-changed',
  metric: keyof typeof METRICS,
  statistic: 'Sum' | 'Maximum',
): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: METRICS[metric],
    dimensionsMap: { service },
    statistic,
    period: Duration.minutes(5),
    label: METRICS[metric],
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

/**
 * Percent of the ended jobs that failed within an hour, 0 while fewer than `minimumRuns` ended. Where
 * nothing failed there is no data point, which alarms count as good.
 */
export function failureRate(minimumRuns: number): MathExpression {
  const ended = '(failed + FILL(succeeded, 0))';
  return new MathExpression({
    expression: `IF(${ended} >= ${minimumRuns}, 100 * failed / ${ended}, 0)`,
    usingMetrics: {
      failed: runs('failed', Duration.hours(1)),
      succeeded: runs('succeeded', Duration.hours(1)),
    },
    label: 'failed %',
    period: Duration.hours(1),
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
