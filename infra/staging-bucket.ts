import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Stage } from './stages.ts';

export interface StagingBucketProps {
  readonly stage: Stage;
  readonly key: IKey;
  /** Gets a line for every request. */
  readonly accessLogs: IBucket;
  readonly removalPolicy: RemovalPolicy;
}

/** Days for which a replaced archive stays readable: longer than any transfer that has begun with it. */
const REPLACED_VERSION_DAYS = 7;

/** The bucket that the panel puts archives in and that Ferry reads them from. */
export class StagingBucket extends Bucket {
  constructor(scope: Construct, id: string, props: StagingBucketProps) {
    super(scope, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.KMS,
      encryptionKey: props.key,
      bucketKeyEnabled: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      serverAccessLogsBucket: props.accessLogs,
      serverAccessLogsPrefix: 'staging/',
      lifecycleRules: [
        {
          expiration: Duration.days(props.stage.stagingExpiryDays),
          noncurrentVersionExpiration: Duration.days(REPLACED_VERSION_DAYS),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
      removalPolicy: props.removalPolicy,
    });

    Validations.of(this).acknowledge(
      {
        id: 'GuardRules::s3_event_notifications_enabled_check',
        reason: 'Archives are found by listing at the planned time; nothing waits for an event.',
      },
      {
        id: 'GuardRules::s3_bucket_object_lock_enabled_check',
        reason: 'Staged archives expire by rule; what has to be kept is at the destination.',
      },
    );
  }
}
