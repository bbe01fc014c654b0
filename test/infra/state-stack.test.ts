import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findStage } from '../../infra/stages.ts';
import { synthesize } from './synthesis.ts';

/**
 * Changing one of these makes CloudFormation replace the resource: an empty table or bucket, with the
 * old one left behind. Only do it with a plan for the data.
 */
const FROZEN = {
  Key961B73FD: 'AWS::KMS::Key',
  SecretsKey317DCF94: 'AWS::KMS::Key',
  Settings1CCB6159: 'AWS::DynamoDB::Table',
  RunsE45A2291: 'AWS::DynamoDB::Table',
  Staging12D1754E: 'AWS::S3::Bucket',
  AccessLogs8B620ECA: 'AWS::S3::Bucket',
};

const prod = synthesize(findStage('prod')).state;
const dev = synthesize(findStage('dev')).state;

const resources = z
  .record(
    z.string(),
    z.object({
      Type: z.string(),
      DeletionPolicy: z.string().optional(),
      UpdateReplacePolicy: z.string().optional(),
    }),
  )
  .parse(prod.toJSON().Resources);

describe('the state stack', () => {
  it('keeps the logical ids under which its data was created', () => {
    const types = Object.entries(resources).map(([id, { Type }]) => [id, Type] as const);
    const stateful = types.filter(([, type]) => !type.endsWith('BucketPolicy'));
    expect(Object.fromEntries(stateful)).toEqual(FROZEN);
  });

  it('retains in production whatever holds data, also when it is replaced', () => {
    for (const id of Object.keys(FROZEN)) {
      expect(resources[id], id).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
      });
    }
  });

  it('goes away with the stack in development', () => {
    dev.allResources('AWS::DynamoDB::Table', { DeletionPolicy: 'Delete' });
    dev.allResourcesProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: false });
  });

  it('protects its tables from deletion and lets them be restored to any second', () => {
    prod.resourceCountIs('AWS::DynamoDB::Table', 2);
    prod.allResourcesProperties('AWS::DynamoDB::Table', {
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    });
  });

  it('encrypts tables and archives with its own key, which is rotated', () => {
    const key = { 'Fn::GetAtt': ['Key961B73FD', 'Arn'] };
    prod.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
    prod.allResourcesProperties('AWS::DynamoDB::Table', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: key },
    });
    prod.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key },
          },
        ],
      },
    });
  });

  it('puts keys alone into the stream and the due index, so that no secret leaves the row', () => {
    prod.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'userId', KeyType: 'HASH' }],
      StreamSpecification: { StreamViewType: 'KEYS_ONLY' },
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    });
  });

  it('finds jobs that somebody is to carry on without reading the table', () => {
    prod.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'sweep',
          KeySchema: [
            { AttributeName: 'sweepShard', KeyType: 'HASH' },
            { AttributeName: 'sweepAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    });
  });

  it('lets delivery records expire', () => {
    prod.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
  });

  it('shuts its buckets to the public and to connections without TLS', () => {
    prod.resourceCountIs('AWS::S3::Bucket', 2);
    prod.resourceCountIs('AWS::S3::BucketPolicy', 2);
    prod.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    prod.allResourcesProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  it('keeps a replaced archive for the transfer that reads it, and nothing for ever', () => {
    prod.hasResourceProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: [
          {
            Status: 'Enabled',
            ExpirationInDays: findStage('prod').stagingExpiryDays,
            NoncurrentVersionExpiration: { NoncurrentDays: 7 },
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
        ],
      },
      LoggingConfiguration: { DestinationBucketName: { Ref: 'AccessLogs8B620ECA' } },
    });
  });

  it.each(['SettingsTable', 'RunsTable', 'StagingBucket', 'DataKeyArn', 'SecretsKeyArn'])(
    'tells the operator %s and what it is for',
    (name) => prod.hasOutput(name, { Description: Match.stringLikeRegexp('.{20,}') }),
  );
});
