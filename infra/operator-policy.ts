import { Aws, Stack, Validations } from 'aws-cdk-lib';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { allObjectsFinding, allow, sealSecrets, useKeyThroughDynamoDb } from './permissions.ts';
import type { Stage } from './stages.ts';
import type { StateStack } from './state-stack.ts';

export interface OperatorPolicyProps {
  readonly stage: Stage;
  readonly state: StateStack;
  readonly jobs: Queue;
  readonly check: IFunction;
}

/**
 * What the command line needs and no more, for the roles of people who configure users. It seals
 * secrets and cannot open them again, stages archives and cannot read them.
 */
export class OperatorPolicy extends ManagedPolicy {
  constructor(scope: Construct, id: string, { stage, state, jobs, check }: OperatorPolicyProps) {
    const { settings, runs, staging, key, secretsKey } = state;
    const stacks = ['State', 'Pipeline'].map((part) =>
      Stack.of(scope).formatArn({
        service: 'cloudformation',
        resource: 'stack',
        resourceName: `Ferry-${stage.name}-${part}/*`,
      }),
    );
    super(scope, id, {
      description: `Ferry (${stage.name}): what the command line needs`,
      statements: [
        allow(['cloudformation:DescribeStacks'], stacks),
        allow(
          ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:Scan', 'dynamodb:UpdateItem'],
          [settings.tableArn],
        ),
        // Writing: the mark that a run is cancelled.
        allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [runs.tableArn]),
        useKeyThroughDynamoDb(key),
        sealSecrets(secretsKey),
        allow(['s3:AbortMultipartUpload', 's3:PutObject'], [staging.arnForObjects('*')]),
        // Decrypt is what S3 asks for to put a multipart upload together, not to hand it out.
        allow(['kms:Decrypt', 'kms:GenerateDataKey'], [key.keyArn], {
          StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` },
        }),
        allow(['sqs:SendMessage'], [jobs.queueArn]),
        allow(['lambda:InvokeFunction'], [check.functionArn]),
      ],
    });

    Validations.of(this).acknowledge(
      allObjectsFinding(
        state,
        'It stages archives for every user, and these are all that the bucket holds.',
      ),
      ...['State', 'Pipeline'].map((part) => ({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/Ferry-${stage.name}-${part}/*]`,
        reason: 'The ARN of a stack ends with an id that AWS makes.',
      })),
    );
  }
}
