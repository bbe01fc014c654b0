import type { AttributeLookup } from './intrinsics.ts';

/** The embedded servers take any region and account; these are the ones they say they are in. */
export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** What the SDK is to sign with; no embedded server looks at it. */
export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Where the demonstration's destinations are, and nobody else's. */
export const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/**
 * Names for what the templates leave for CloudFormation to name, made of stack and logical id as
 * CloudFormation does, but without its random end.
 */
export function attributeOf(sqsEndpoint: string): AttributeLookup {
  return (stack, logicalId, attribute) => {
    const type = stack.template.Resources[logicalId]?.Type;
    const name = `${stack.name}-${logicalId}`;
    const attributes = type && attributesOfType[type]?.(name, sqsEndpoint);
    return attributes ? attributes[attribute] : undefined;
  };
}

type Attributes = Readonly<Record<string, string>>;

const attributesOfType: Readonly<Record<string, (name: string, sqs: string) => Attributes>> = {
  'AWS::DynamoDB::Table': (name) => {
    const arn = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
    return { Ref: name, Arn: arn, StreamArn: `${arn}/stream/local` };
  },
  'AWS::SQS::Queue': (name, sqs) => ({
    Ref: `${sqs}/${ACCOUNT}/${name}`,
    Arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`,
    QueueName: name,
  }),
  'AWS::S3::Bucket': (name) => {
    const bucket = name.toLowerCase();
    return { Ref: bucket, Arn: `arn:aws:s3:::${bucket}` };
  },
  'AWS::Lambda::Function': (name) => ({
    Ref: name,
    Arn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`,
  }),
  'AWS::KMS::Key': (name) => ({
    Ref: name,
    Arn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${name}`,
  }),
  // Nothing assumes a role here, but targets name one.
  'AWS::IAM::Role': (name) => ({ Ref: name, Arn: `arn:aws:iam::${ACCOUNT}:role/${name}` }),
};
