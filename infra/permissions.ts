import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';

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
