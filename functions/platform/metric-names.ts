/** Names shared by the code that emits metrics and the alarms and dashboard that read them. */
export const METRIC_NAMESPACE = 'Ferry';

/**
 * Dimensions: `service` (the function) always; `outcome` and `type` where said. Never a user id:
 * CloudWatch bills each distinct set of dimensions.
 */
export const METRICS = {
  /** Messages handled, by the `outcome` of their job (`JobResult` in `transfer/ports.ts`). */
  runs: 'Runs',
  /** Archives delivered and proven, by `type` of destination. */
  archivesDelivered: 'ArchivesDelivered',
  /** Bytes delivered and proven, by `type` of destination. */
  bytesDelivered: 'BytesDelivered',
  /** Milliseconds that one archive took, by `type` of destination. */
  transferDuration: 'TransferDuration',
  /** Seconds between a job's slot and the moment it was put on the queue. */
  enqueueLag: 'EnqueueLag',
  /** Jobs put on the queue. */
  jobsEnqueued: 'JobsEnqueued',
  /** Due users whom a tick could not put on the queue or move on. */
  usersLeft: 'UsersLeft',
  /** Jobs that nobody carried on, put on the queue again. */
  jobsSwept: 'JobsSwept',
  /** Jobs that were lost again and again, ended as failed. */
  jobsGivenUp: 'JobsGivenUp',
  /** Lost jobs that a sweep could neither put on the queue nor end. */
  jobsLeft: 'JobsLeft',
  /** Rows of the settings table that do not parse. */
  invalidRows: 'InvalidRows',
  /** Times that the operator's policy was read and could not be used. */
  policyRefused: 'PolicyRefused',
} as const;
