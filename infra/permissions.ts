import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { StateStack } from './state-stack.ts';

/** One statement of a role: these actions on these resources and nothing else. */
export function allow(
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>,
): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions && { conditions }),
  });
}

/**
 * Reading and writing the items of tables under a customer managed key, only through DynamoDB. The
 * actions are those of the DynamoDB developer guide, "Authorizing use of your customer managed key",
 * without the grant that only the table's maker needs.
 */
export function useKeyThroughDynamoDb(key: IKey): PolicyStatement {
  return allow(
    [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ],
    [key.keyArn],
    { StringEquals: { 'kms:ViaService': `dynamodb.${Aws.REGION}.amazonaws.com` } },
  );
}

/** Raising events on the account's default bus. */
export function raiseEvents(): PolicyStatement {
  const bus = `arn:${Aws.PARTITION}:events:${Aws.REGION}:${Aws.ACCOUNT_ID}:event-bus/default`;
  return allow(['events:PutEvents'], [bus]);
}

/** Reading objects under a customer managed key, only through S3. */
export function decryptThroughS3(key: IKey): PolicyStatement {
  return allow(['kms:Decrypt'], [key.keyArn], {
    StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` },
  });
}

/** What every data key of a sealed secret was made with; see `core/sealed.ts`. */
const FOR_SETTINGS = {
  StringEquals: {
    'kms:EncryptionContext:app': 'ferry',
    'kms:EncryptionContext:purpose': 'setting',
  },
};

/** Sealing secrets, which does not let anybody open one. */
export function sealSecrets(key: IKey): PolicyStatement {
  return allow(['kms:GenerateDataKey'], [key.keyArn], FOR_SETTINGS);
}

/** Opening sealed secrets; the key itself lets only those roles that `SecretsKey.letOpen` marks. */
export function openSecrets(key: IKey): PolicyStatement {
  return allow(['kms:Decrypt'], [key.keyArn], FOR_SETTINGS);
}

/** Buckets of this account alone. */
export const OWN_BUCKETS = { StringEquals: { 's3:ResourceAccount': Aws.ACCOUNT_ID } };

/** Taking on roles of users who let Ferry write to their bucket; never one of this account. */
export function assumeDeliveryRoles(): PolicyStatement {
  return new PolicyStatement({
    actions: ['sts:AssumeRole'],
    resources: [`arn:${Aws.PARTITION}:iam::*:role/ferry-*`],
    conditions: { StringNotEquals: { 'aws:ResourceAccount': Aws.ACCOUNT_ID } },
  });
}

/** What cdk-nag finds in `assumeDeliveryRoles`, and why it stays. */
export const DELIVERY_ROLES_FINDING = {
  id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iam::*:role/ferry-*]',
  reason:
    "Users name roles of accounts that Ferry does not know beforehand. Each role's own trust policy decides, by an external id that only its user has.",
};

/** What cdk-nag finds where all objects of the staging bucket are named, and why that stays. */
export function allObjectsFinding({ stackName }: Pick<StateStack, 'stackName'>, reason: string) {
  // The resource as cdk-nag prints it, which is as the template refers to the other stack.
  const resource = `{"Fn::GetStackOutput":{"StackName":"${stackName}","Region":{"Ref":"AWS::Region"},"OutputName":"PublishOutputFnGetAttStaging12D1754EArn10AD1D02"}}/*`;
  return { id: `AwsSolutions-IAM5[Resource::${resource}]`, reason };
}
