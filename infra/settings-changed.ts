import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { settingsChangedEnvironment } from '../functions/platform/environment.ts';
import { FerryFunction, type LogSettings } from './ferry-function.ts';
import { allow, raiseEvents, sealSecrets, useKeyThroughDynamoDb } from './permissions.ts';
import { DeadLetterQueue } from './queues.ts';
import type { Stage } from './stages.ts';
import type { StateStack } from './state-stack.ts';

export interface SettingsChangedProps {
  readonly stage: Stage;
  readonly state: StateStack;
  readonly logs: LogSettings;
}

/** Looks at each settings row that was written: checks it, tells what is wrong, seals its secrets, plans the next run. */
export class SettingsChanged extends Construct {
  readonly function: FerryFunction<typeof settingsChangedEnvironment>;
  /** Positions in the stream of changes that could not be handled; the keys only, no row. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { stage, state, logs }: SettingsChangedProps) {
    super(scope, id);
    const { settings, runs, key, secretsKey } = state;
    const { tableStreamArn: streamArn } = settings;
    if (!streamArn) throw new Error('The settings table has no stream to be told of changes by.');
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters');

    this.function = new FerryFunction(this, 'Handler', {
      name: 'settings-changed',
      description: 'Checks settings rows as they are written and plans their next run',
      // A batch of a hundred rows, all of them with secrets to be sealed by a KMS that throttles.
      timeout: Duration.minutes(5),
      memoryMb: 512,
      schema: settingsChangedEnvironment,
      environment: {
        SETTINGS_TABLE: settings.tableName,
        RUNS_TABLE: runs.tableName,
        SECRETS_KEY: secretsKey.keyArn,
        DUE_SHARDS: String(stage.dueShards),
        SPREAD_MINUTES: String(stage.spreadMinutes),
      },
      permissions: [
        // It looks at every row when the policy changes.
        allow(['dynamodb:GetItem', 'dynamodb:Scan', 'dynamodb:UpdateItem'], [settings.tableArn]),
        // Rows that lost their status are told of their last runs again.
        allow(['dynamodb:Query'], [runs.tableArn]),
        // The four that the DynamoDB developer guide asks for in "IAM policy to allow a Lambda
        // function to access DynamoDB stream records".
        allow(
          [
            'dynamodb:DescribeStream',
            'dynamodb:GetRecords',
            'dynamodb:GetShardIterator',
            'dynamodb:ListStreams',
          ],
          [streamArn],
        ),
        useKeyThroughDynamoDb(key),
        sealSecrets(secretsKey),
        allow(['sqs:SendMessage'], [this.deadLetters.queueArn]),
        raiseEvents(),
      ],
      logs,
      // It checks settings and opens no destination, so that it starts without any driver.
      leaveOut: ['./destination.ts'],
    });

    new EventSourceMapping(this, 'Changes', {
      target: this.function.lambda,
      eventSourceArn: streamArn,
      // Rows written while the pipeline was not there yet are still in the stream for a day.
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: 10,
      onFailure: { bind: () => ({ destination: this.deadLetters.queueArn }) },
    });
  }
}
