import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** Days for which it stays known who read or wrote an archive. */
const DAYS = 90;

/** Where S3 writes down who touched another bucket. */
export class AccessLogBucket extends Bucket {
  constructor(scope: Construct, id: string, removalPolicy: RemovalPolicy) {
    super(scope, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      lifecycleRules: [
        {
          expiration: Duration.days(DAYS),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
      removalPolicy,
    });

    const noLogsOfLogs = 'A bucket of access logs that logs access to itself would grow for ever.';
    Validations.of(this).acknowledge(
      { id: 'AwsSolutions-S1', reason: noLogsOfLogs },
      { id: 'GuardRules::s3_bucket_logging_enabled_check', reason: noLogsOfLogs },
      {
        id: 'GuardRules::s3_bucket_default_encryption_kms_check',
        reason: 'S3 delivers access logs only to buckets with SSE-S3.',
      },
      {
        id: 'GuardRules::s3_event_notifications_enabled_check',
        reason: 'Logs are read by people when they have a question; nothing waits for them.',
      },
      {
        id: 'GuardRules::s3_bucket_object_lock_enabled_check',
        reason: 'Logs expire by rule.',
      },
    );
  }

  // `Bucket` declares it as possibly undefined, which keeps it from being an `IBucket` under strict types.
  override get isWebsite(): boolean {
    return false;
  }
}
