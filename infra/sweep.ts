import { Duration } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { sweepEnvironment } from '../functions/platform/environment.ts';
import { SWEEP_INDEX } from '../functions/runs/keys.ts';
import { FerryFunction, type LogSettings } from './ferry-function.ts';
import { allow, raiseEvents, useKeyThroughDynamoDb } from './permissions.ts';
import { invokeRegularly } from './schedule.ts';
import type { Stage } from './stages.ts';
import type { StateStack } from './state-stack.ts';

export interface SweepProps {
  readonly stage: Stage;
  readonly state: StateStack;
  readonly jobs: Queue;
  readonly logs: LogSettings;
}

/** Every five minutes, puts the jobs on the queue again whose worker or message was lost. */
export class Sweep extends Construct {
  readonly function: FerryFunction<typeof sweepEnvironment>;
  /** Sweeps that did not reach the function. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { stage, state, jobs, logs }: SweepProps) {
    super(scope, id);
    const { settings, runs, key } = state;

    this.function = new FerryFunction(this, 'Handler', {
      name: 'sweep',
      description: 'Puts jobs on the queue again whose worker or message was lost',
      timeout: Duration.minutes(2),
      memoryMb: 512,
      schema: sweepEnvironment,
      environment: {
        SETTINGS_TABLE: settings.tableName,
        RUNS_TABLE: runs.tableName,
        JOBS_QUEUE_URL: jobs.queueUrl,
      },
      permissions: [
        allow(['dynamodb:Query'], [`${runs.tableArn}/index/${SWEEP_INDEX.name}`]),
        allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [runs.tableArn]),
        // It tells users of jobs that it gives up.
        allow(['dynamodb:UpdateItem'], [settings.tableArn]),
        useKeyThroughDynamoDb(key),
        allow(['sqs:SendMessage'], [jobs.queueArn]),
        raiseEvents(),
      ],
      logs,
    });

    this.deadLetters = invokeRegularly(this, {
      description: `Ferry (${stage.name}): looks for lost jobs every five minutes`,
      interval: Duration.minutes(5),
      target: this.function.lambda,
      targetName: 'sweep',
    });
  }
}
