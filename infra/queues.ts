import { Duration, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/**
 * Where messages wait that nobody could handle: 14 days, the longest that SQS allows. Each one has an
 * alarm.
 */
export class DeadLetterQueue extends Queue {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      ...CLOSED,
      retentionPeriod: Duration.days(14),
      redriveAllowPolicy: { redrivePermission: RedrivePermission.ALLOW_ALL },
    });
    const reason = 'This is the dead-letter queue.';
    Validations.of(this).acknowledge(
      { id: 'AwsSolutions-SQS3', reason },
      { id: 'Serverless-SQSRedrivePolicy', reason },
    );
  }
}

export interface JobQueueProps {
  /** Timeout of the function that takes jobs from the queue. */
  readonly workerTimeout: Duration;
  /** Receives after which a job is a dead letter. */
  readonly maxReceiveCount: number;
}

/**
 * The queue of jobs. It is a standard queue, made fair by the message group that senders give each
 * user (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
 */
export class JobQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { workerTimeout, maxReceiveCount }: JobQueueProps) {
    super(scope, id);
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters');
    this.queue = new Queue(this, 'Queue', {
      ...CLOSED,
      retentionPeriod: Duration.days(4),
      // Six times, as Lambda asks of a queue that it polls: room for its own throttling and retries
      // (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
      visibilityTimeout: Duration.seconds(6 * workerTimeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount },
    });
  }
}

/**
 * SQS encrypts with a key of its own: messages hold names and times, never a secret, and a customer
 * managed key would be one more thing that every sender needs and that can stop the queue.
 */
const CLOSED = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true } as const;
