/** A list price of us-east-1 in USD. */
export interface Price {
  readonly what: string;
  readonly usd: number;
  readonly per: string;
  /** Without https://. */
  readonly source: string;
}

/**
 * Everything that costs are reckoned from. Free tiers, discounts and taxes are left out. Those of Lambda
 * and DynamoDB were compared with what others publish in November 2026; look at the page of the source
 * before any is quoted.
 */
export const PRICES = {
  lambda: {
    what: 'Lambda, arm64',
    usd: 0.0000133334,
    per: 'GB-second',
    source: 'aws.amazon.com/lambda/pricing',
  },
  lambdaCalls: {
    what: 'Lambda, requests',
    usd: 0.2,
    per: 'million',
    source: 'aws.amazon.com/lambda/pricing',
  },
  writes: {
    what: 'DynamoDB, on-demand writes',
    usd: 0.625,
    per: 'million KB',
    source: 'aws.amazon.com/dynamodb/pricing/on-demand',
  },
  reads: {
    what: 'DynamoDB, on-demand reads',
    usd: 0.125,
    per: 'million times 4 KB',
    source: 'aws.amazon.com/dynamodb/pricing/on-demand',
  },
  queue: {
    what: 'SQS, standard queue',
    usd: 0.4,
    per: 'million requests',
    source: 'aws.amazon.com/sqs/pricing',
  },
  gets: {
    what: 'S3 Standard, GET and HEAD',
    usd: 0.4,
    per: 'million requests',
    source: 'aws.amazon.com/s3/pricing',
  },
  lists: {
    what: 'S3 Standard, LIST',
    usd: 5,
    per: 'million requests',
    source: 'aws.amazon.com/s3/pricing',
  },
  keys: {
    what: 'KMS, requests',
    usd: 3,
    per: 'million',
    source: 'aws.amazon.com/kms/pricing',
  },
  egress: {
    what: 'Data out to the internet, first 10 TB of a month',
    usd: 0.09,
    per: 'GB',
    source: 'aws.amazon.com/ec2/pricing/on-demand',
  },
  connector: {
    what: 'Transfer Family SFTP connector',
    usd: 0.4,
    per: 'GB',
    source: 'aws.amazon.com/aws-transfer-family/pricing',
  },
  dataSync: {
    what: 'DataSync, basic mode',
    usd: 0.0125,
    per: 'GB',
    source: 'aws.amazon.com/datasync/pricing',
  },
  instance: {
    what: 'EC2 t4g.small, on demand',
    usd: 0.0168,
    per: 'hour',
    source: 'aws.amazon.com/ec2/pricing/on-demand',
  },
} as const satisfies Readonly<Record<string, Price>>;
