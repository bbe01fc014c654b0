import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { RUNS_KEYS, SWEEP_INDEX } from '../functions/runs/keys.ts';
import { DUE_INDEX, SETTINGS_KEY } from '../functions/settings/keys.ts';
import { AccessLogBucket } from './access-log-bucket.ts';
import { FerryKey } from './ferry-key.ts';
import { SecretsKey } from './secrets-key.ts';
import type { Stage } from './stages.ts';
import { StagingBucket } from './staging-bucket.ts';

/**
 * What must survive every update and mistake: users' settings, what was delivered, the archives
 * waiting for delivery, and the keys over all of them. The logical ids in here are frozen by a test,
 * because a changed one makes CloudFormation replace the resource.
 */
export class StateStack extends Stack {
  /** Encrypts both tables and the staging bucket. */
  readonly key: Key;
  /** Seals users' secrets inside the rows. */
  readonly secretsKey: SecretsKey;
  readonly settings: Table;
  readonly runs: Table;
  readonly staging: Bucket;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: Stage }) {
    super(scope, id, {
      description: `Ferry (${stage.name}): settings, delivery records and staged archives`,
      terminationProtection: stage.keepData,
    });
    const removalPolicy = stage.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

    this.key = new FerryKey(this, 'Key', {
      description: `Ferry (${stage.name}): settings, delivery records and staged archives`,
      removalPolicy,
    });

    this.secretsKey = new SecretsKey(this, 'SecretsKey', {
      description: `Ferry (${stage.name}): secrets of users, sealed in their rows`,
      removalPolicy,
    });

    const table = {
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: stage.keepData,
      removalPolicy,
    } as const satisfies Partial<TableProps>;

    this.settings = new Table(this, 'Settings', {
      ...table,
      partitionKey: { name: SETTINGS_KEY, type: AttributeType.STRING },
      // Keys only, so that no secret of a row is ever in the stream or in what reads it.
      stream: StreamViewType.KEYS_ONLY,
    });
    this.settings.addGlobalSecondaryIndex({
      indexName: DUE_INDEX.name,
      partitionKey: { name: DUE_INDEX.partitionKey, type: AttributeType.STRING },
      sortKey: { name: DUE_INDEX.sortKey, type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    this.runs = new Table(this, 'Runs', {
      ...table,
      partitionKey: { name: RUNS_KEYS.partitionKey, type: AttributeType.STRING },
      sortKey: { name: RUNS_KEYS.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: RUNS_KEYS.expiry,
    });
    this.runs.addGlobalSecondaryIndex({
      indexName: SWEEP_INDEX.name,
      partitionKey: { name: SWEEP_INDEX.partitionKey, type: AttributeType.STRING },
      sortKey: { name: SWEEP_INDEX.sortKey, type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    this.staging = new StagingBucket(this, 'Staging', {
      stage,
      key: this.key,
      accessLogs: new AccessLogBucket(this, 'AccessLogs', removalPolicy),
      removalPolicy,
    });

    this.#tell('SettingsTable', this.settings.tableName, 'One row for each user: write it here.');
    this.#tell('RunsTable', this.runs.tableName, 'What was delivered, and how each job ended.');
    this.#tell(
      'StagingBucket',
      this.staging.bucketName,
      'The panel puts archives here, as <userId>/<component>/<file>.',
    );
    this.#tell(
      'DataKeyArn',
      this.key.keyArn,
      'The key over tables and bucket: whoever reads or writes them needs it too.',
    );
    this.#tell(
      'SecretsKeyArn',
      this.secretsKey.keyArn,
      'The key that seals secrets: whoever seals needs kms:GenerateDataKey, and nobody else opens.',
    );
  }

  #tell(name: string, value: string, description: string): void {
    new CfnOutput(this, name, { value, description });
  }
}
