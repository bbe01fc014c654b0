import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { TRANSLATION } from '../settings/translation.ts';
import { tuneCollection } from './garbage-collection.ts';

/**
 * Clients of the services that Ferry itself runs on; each function makes the ones it needs once, when
 * it is loaded. Region, credentials and endpoint come from the environment alone (`AWS_REGION`,
 * `AWS_ENDPOINT_URL_DYNAMODB`, …), as the SDK reads it.
 */
const MAX_ATTEMPTS = 5;
const CONNECT_MS = 3_000;

/** These calls are small: one that takes longer is stuck and worth another attempt. */
const SMALL_CALL = {
  maxAttempts: MAX_ATTEMPTS,
  requestHandler: {
    connectionTimeout: CONNECT_MS,
    requestTimeout: 5_000,
    throwOnRequestTimeout: true,
  },
};

export function connectDynamoDb(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient(SMALL_CALL), TRANSLATION);
}

/** Seals and opens secrets. */
export function connectKms(): KMSClient {
  return new KMSClient(SMALL_CALL);
}

export function connectSqs(): SQSClient {
  // The SDK would else send to the host that the queue's URL names, whatever the environment says.
  return new SQSClient({ ...SMALL_CALL, useQueueUrlAsEndpoint: false });
}

export function connectEventBridge(): EventBridgeClient {
  return new EventBridgeClient(SMALL_CALL);
}

export function connectSts(): STSClient {
  return new STSClient(SMALL_CALL);
}

/** The staging bucket. Bodies may flow for long, so only silence counts as being stuck. */
export function connectStaging(): S3Client {
  tuneCollection();
  return new S3Client({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: 20_000 },
  });
}
