import { Duration, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { checkEnvironment } from '../functions/platform/environment.ts';
import { FerryFunction, type LogSettings } from './ferry-function.ts';
import {
  allObjectsFinding,
  allow,
  assumeDeliveryRoles,
  DELIVERY_ROLES_FINDING,
  decryptThroughS3,
  OWN_BUCKETS,
  openSecrets,
  useKeyThroughDynamoDb,
} from './permissions.ts';
import type { Stage } from './stages.ts';
import type { StateStack } from './state-stack.ts';

export interface CheckProps {
  readonly stage: Stage;
  readonly state: StateStack;
  readonly logs: LogSettings;
}

/**
 * Tries a user's destinations step by step, from where transfers run and with the rights that they
 * have at destinations. Whoever may invoke it gets no secret and no archive, but has it connect to
 * what rows name. It has no alarm: whoever invokes it sees whether it answers.
 */
export class Check extends Construct {
  readonly function: FerryFunction<typeof checkEnvironment>;

  constructor(scope: Construct, id: string, { stage, state, logs }: CheckProps) {
    super(scope, id);
    const { settings, runs, staging, key, secretsKey } = state;

    this.function = new FerryFunction(this, 'Handler', {
      name: 'check',
      description: 'Tries the connection to the destinations of one user, step by step',
      timeout: Duration.minutes(5),
      memoryMb: 1024,
      schema: checkEnvironment,
      environment: {
        SETTINGS_TABLE: settings.tableName,
        RUNS_TABLE: runs.tableName,
        STAGING_BUCKET: staging.bucketName,
        ROLE_ENDPOINTS: stage.roleEndpoints.join(' '),
      },
      permissions: [
        allow(['dynamodb:GetItem'], [settings.tableArn]),
        // What was found out about a server is kept for the transfers.
        allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [runs.tableArn]),
        useKeyThroughDynamoDb(key),
        openSecrets(secretsKey),
        // Keys and certificates that settings name; hidden folders and all others may hold them.
        allow(['s3:GetObject'], [staging.arnForObjects('*')], OWN_BUCKETS),
        allow(['s3:ListBucket'], [staging.bucketArn], OWN_BUCKETS),
        decryptThroughS3(key),
        assumeDeliveryRoles(),
      ],
      logs,
    });

    secretsKey.letOpen(this.function);

    Validations.of(this.function).acknowledge(
      allObjectsFinding(
        state,
        "Settings of every user may name a file in that user's folder of the bucket.",
      ),
      DELIVERY_ROLES_FINDING,
      {
        id: 'Serverless-LambdaDLQ',
        reason: 'Whoever invokes it waits for its answer; nothing is lost where none comes.',
      },
    );
  }
}
