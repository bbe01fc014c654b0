import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { EnqueueMetrics } from '../enqueue-due/ports.ts';
import type { CheckMetrics } from '../settings-changed/ports.ts';
import type { SweepMetrics } from '../sweep/ports.ts';
import type { TransferMetrics } from '../transfer/ports.ts';
import { METRIC_NAMESPACE, METRICS } from './metric-names.ts';

/**
 * Metrics in CloudWatch's embedded format. Dimensions belong to a whole line, so each call writes a
 * line of its own at once; a function that is killed later has still told what happened.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
 */
export function openTransferMetrics(service: string): TransferMetrics {
  const metrics = openMetrics(service);
  return {
    runEnded(outcome) {
      metrics
        .addDimension('outcome', outcome)
        .addMetric(METRICS.runs, MetricUnit.Count, 1)
        .publishStoredMetrics();
    },
    archiveDelivered(type, bytes, ms) {
      metrics
        .addDimension('type', type)
        .addMetric(METRICS.archivesDelivered, MetricUnit.Count, 1)
        .addMetric(METRICS.bytesDelivered, MetricUnit.Bytes, bytes)
        .addMetric(METRICS.transferDuration, MetricUnit.Milliseconds, ms)
        .publishStoredMetrics();
    },
  };
}

export function openEnqueueMetrics(service: string): EnqueueMetrics {
  const metrics = openMetrics(service);
  return {
    tickEnded({ jobs, invalidRows, usersLeft, lagSeconds }) {
      metrics
        .addMetric(METRICS.jobsEnqueued, MetricUnit.Count, jobs)
        .addMetric(METRICS.invalidRows, MetricUnit.Count, invalidRows)
        .addMetric(METRICS.usersLeft, MetricUnit.Count, usersLeft)
        .addMetric(METRICS.enqueueLag, MetricUnit.Seconds, lagSeconds)
        .publishStoredMetrics();
    },
  };
}

export function openSweepMetrics(service: string): SweepMetrics {
  const metrics = openMetrics(service);
  return {
    sweepEnded({ swept, givenUp, left }) {
      metrics
        .addMetric(METRICS.jobsSwept, MetricUnit.Count, swept)
        .addMetric(METRICS.jobsGivenUp, MetricUnit.Count, givenUp)
        .addMetric(METRICS.jobsLeft, MetricUnit.Count, left)
        .publishStoredMetrics();
    },
  };
}

export function openCheckMetrics(service: string): CheckMetrics {
  const metrics = openMetrics(service);
  return {
    rowRefused() {
      metrics.addMetric(METRICS.invalidRows, MetricUnit.Count, 1).publishStoredMetrics();
    },
  };
}

export function openPolicyMetrics(service: string) {
  const metrics = openMetrics(service);
  return {
    /** The operator's policy cannot be used. */
    policyRefused() {
      metrics.addMetric(METRICS.policyRefused, MetricUnit.Count, 1).publishStoredMetrics();
    },
  };
}

function openMetrics(service: string): Metrics {
  return new Metrics({ namespace: METRIC_NAMESPACE, serviceName: service });
}
