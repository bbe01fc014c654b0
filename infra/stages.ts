import { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** Everything in which one deployment of Ferry differs from another. */
export interface Stage {
  /** Part of the stack names: `Ferry-<name>-State` and `Ferry-<name>-Pipeline`. */
  readonly name: string;
  /**
   * Whether tables, bucket, keys and logs outlive their stack: they are retained, and stacks and
   * tables refuse to be deleted until somebody takes that protection off by hand.
   */
  readonly keepData: boolean;
  readonly logRetention: RetentionDays;
  /** Days after which a staged archive is removed, delivered or not. */
  readonly stagingExpiryDays: number;
  /**
   * How many partitions the due index is spread over; each takes about 1,000 writes a second. Only
   * ever raise it: the tick does not look into partitions above it.
   */
  readonly dueShards: number;
  /** Minutes over which users with the same planned time are spread; 0 starts all at once. */
  readonly spreadMinutes: number;
  readonly transfer: TransferSize;
  /**
   * Addresses that users may name in AWS_IAM_ROLE_ENDPOINT, with everything below them. Ferry asks
   * them from where it runs, so list only what hands out keys meant for users.
   */
  readonly roleEndpoints: readonly string[];
  /** How often a job is tried before it is a dead letter; continuations do not count. */
  readonly maxReceiveCount: number;
  readonly alarms: AlarmSettings;
}

export interface TransferSize {
  /**
   * MB. 1769 is one whole vCPU (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html);
   * 1024 are enough for what Lambda's network carries, by docs/performance.md.
   */
  readonly memoryMb: number;
  /** Bytes of archives that one worker holds at most, in MiB; leave 256 MiB of its memory to the rest. */
  readonly inFlightMib: number;
  /** Jobs under way at once, from 2 to 1000; a new AWS account may run 10 invocations in all. */
  readonly maxConcurrency: number;
}

export interface AlarmSettings {
  /** Minutes that a job may wait on the queue. */
  readonly oldestMessageMinutes: number;
  /** Percent of the jobs ended within an hour. */
  readonly failureRatePercent: number;
  /** Jobs ended within an hour below which their failure rate says nothing. */
  readonly failureRateMinimumRuns: number;
  /** Where the people on call read `docs/runbook.md`; alarms link to its headings. */
  readonly runbookUrl: string;
  /** Gets a mail for every alarm, once the subscription that AWS mails to it is confirmed. */
  readonly email?: string;
  /** An SNS topic that exists already; without it Ferry makes one. */
  readonly topicArn?: string;
}

const dev: Stage = {
  name: 'dev',
  keepData: false,
  logRetention: RetentionDays.ONE_MONTH,
  stagingExpiryDays: 3,
  dueShards: 1,
  spreadMinutes: 0,
  transfer: { memoryMb: 1024, inFlightMib: 64, maxConcurrency: 2 },
  roleEndpoints: [],
  maxReceiveCount: 8,
  alarms: {
    oldestMessageMinutes: 240,
    failureRatePercent: 25,
    failureRateMinimumRuns: 10,
    runbookUrl: 'docs/runbook.md',
  },
};

const prod: Stage = {
  name: 'prod',
  keepData: true,
  logRetention: RetentionDays.ONE_YEAR,
  stagingExpiryDays: 14,
  dueShards: 16,
  spreadMinutes: 60,
  transfer: { memoryMb: 1024, inFlightMib: 512, maxConcurrency: 50 },
  roleEndpoints: [],
  maxReceiveCount: 8,
  alarms: {
    oldestMessageMinutes: 240,
    failureRatePercent: 10,
    failureRateMinimumRuns: 20,
    runbookUrl: 'docs/runbook.md',
  },
};

/** Every stage that can be deployed. A new one is an object and a place in this list. */
export const stages: readonly Stage[] = [dev, prod];

/**
 * The stage of this name.
 * @throws Error naming the known stages when there is none
 */
export function findStage(name: unknown): Stage {
  const found = stages.find((stage) => stage.name === name);
  if (found) return found;
  const known = stages.map((stage) => stage.name).join(', ');
  throw new Error(`There is no stage "${name}". Known stages (infra/stages.ts): ${known}.`);
}
