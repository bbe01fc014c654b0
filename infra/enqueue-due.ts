import { Duration } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { enqueueDueEnvironment } from '../functions/platform/environment.ts';
import { DUE_INDEX } from '../functions/settings/keys.ts';
import { FerryFunction, type LogSettings } from './ferry-function.ts';
import { allow, useKeyThroughDynamoDb } from './permissions.ts';
import { invokeRegularly } from './schedule.ts';
import type { Stage } from './stages.ts';
import type { StateStack } from './state-stack.ts';

export interface EnqueueDueProps {
  readonly stage: Stage;
  readonly state: StateStack;
  readonly jobs: Queue;
  readonly logs: LogSettings;
}

/**
 * The tick: once a minute, puts a job on the queue for every user and destination that is due.
 *
 * It has no reserved concurrency: an account must keep 10 invocations unreserved and a new one has no
 * more than these, so that any reservation fails there. Two ticks at once are harmless, because rows
 * are advanced conditionally and a job that was sent twice runs once.
 */
export class EnqueueDue extends Construct {
  readonly function: FerryFunction<typeof enqueueDueEnvironment>;
  /** Ticks that did not reach the function. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { stage, state, jobs, logs }: EnqueueDueProps) {
    super(scope, id);
    const { settings, key } = state;

    this.function = new FerryFunction(this, 'Handler', {
      name: 'enqueue-due',
      description: 'Puts a job on the queue for every user and destination that is due',
      timeout: Duration.seconds(55),
      memoryMb: 512,
      schema: enqueueDueEnvironment,
      environment: {
        SETTINGS_TABLE: settings.tableName,
        JOBS_QUEUE_URL: jobs.queueUrl,
        DUE_SHARDS: String(stage.dueShards),
        SPREAD_MINUTES: String(stage.spreadMinutes),
      },
      permissions: [
        allow(['dynamodb:Query'], [`${settings.tableArn}/index/${DUE_INDEX.name}`]),
        allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], [settings.tableArn]),
        useKeyThroughDynamoDb(key),
        allow(['sqs:SendMessage'], [jobs.queueArn]),
      ],
      logs,
    });

    this.deadLetters = invokeRegularly(this, {
      description: `Ferry (${stage.name}): looks for due users every minute`,
      interval: Duration.minutes(1),
      target: this.function.lambda,
      targetName: 'enqueue-due',
    });
  }
}
