import { Duration, Validations } from 'aws-cdk-lib';
import { EventSourceMapping, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { transferEnvironment } from '../functions/platform/environment.ts';
import { FerryFunction, type LogSettings } from './ferry-function.ts';
import {
  allObjectsFinding,
  allow,
  assumeDeliveryRoles,
  DELIVERY_ROLES_FINDING,
  decryptThroughS3,
  OWN_BUCKETS,
  openSecrets,
  raiseEvents,
  useKeyThroughDynamoDb,
} from './permissions.ts';
import type { Stage } from './stages.ts';
import type { StateStack } from './state-stack.ts';

export interface TransferProps {
  readonly stage: Stage;
  readonly state: StateStack;
  readonly jobs: Queue;
  readonly logs: LogSettings;
}

/** The longest that Lambda lets a function run; a longer transfer goes on in the next invocation. */
export const TRANSFER_TIMEOUT = Duration.minutes(15);

/** Takes one job from the queue and delivers the user's archives to one destination. */
export class Transfer extends Construct {
  readonly function: FerryFunction<typeof transferEnvironment>;

  constructor(scope: Construct, id: string, { stage, state, jobs, logs }: TransferProps) {
    super(scope, id);
    const { settings, runs, staging, key, secretsKey } = state;

    this.function = new FerryFunction(this, 'Handler', {
      name: 'transfer',
      description: 'Delivers the archives of one user to one destination and proves it',
      timeout: TRANSFER_TIMEOUT,
      memoryMb: stage.transfer.memoryMb,
      schema: transferEnvironment,
      environment: {
        SETTINGS_TABLE: settings.tableName,
        RUNS_TABLE: runs.tableName,
        STAGING_BUCKET: staging.bucketName,
        JOBS_QUEUE_URL: jobs.queueUrl,
        MAX_RECEIVE_COUNT: String(stage.maxReceiveCount),
        IN_FLIGHT_MIB: String(stage.transfer.inFlightMib),
        ROLE_ENDPOINTS: stage.roleEndpoints.join(' '),
      },
      permissions: [
        allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], [settings.tableArn]),
        allow(
          [
            'dynamodb:DeleteItem',
            'dynamodb:GetItem',
            'dynamodb:PutItem',
            'dynamodb:Query',
            'dynamodb:UpdateItem',
          ],
          [runs.tableArn],
        ),
        useKeyThroughDynamoDb(key),
        openSecrets(secretsKey),
        allow(['s3:ListBucket'], [staging.bucketArn], OWN_BUCKETS),
        allow(['s3:GetObject', 's3:GetObjectVersion'], [staging.arnForObjects('*')], OWN_BUCKETS),
        decryptThroughS3(key),
        allow(
          [
            'sqs:ChangeMessageVisibility',
            'sqs:DeleteMessage',
            'sqs:GetQueueAttributes',
            'sqs:ReceiveMessage',
            'sqs:SendMessage',
          ],
          [jobs.queueArn],
        ),
        raiseEvents(),
        assumeDeliveryRoles(),
      ],
      logs,
      // A transfer longer than one invocation goes on by a message to its own queue, which Lambda
      // would stop at the 16th (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
      // The job counts its hops itself.
      recursiveLoop: RecursiveLoop.ALLOW,
    });

    secretsKey.letOpen(this.function);

    Validations.of(this.function).acknowledge(
      allObjectsFinding(
        state,
        'It delivers the archives of every user, and these are all that the bucket holds.',
      ),
      DELIVERY_ROLES_FINDING,
    );

    const jobsMapping = new EventSourceMapping(this, 'Jobs', {
      target: this.function.lambda,
      eventSourceArn: jobs.queueArn,
      batchSize: 1,
      maxConcurrency: stage.transfer.maxConcurrency,
      reportBatchItemFailures: true,
    });
    Validations.of(jobsMapping).acknowledge({
      id: 'Serverless-LambdaEventSourceMappingDestination',
      reason:
        'Lambda takes a failure destination for streams only; the queue has a dead-letter queue.',
    });
  }
}
