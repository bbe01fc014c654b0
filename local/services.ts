import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { buildApp } from 'fauxqs';
import { type EventBus, startEventBus } from './event-bus.ts';
import { type KeyService, startKeyService } from './key-service.ts';
import { CREDENTIALS, REGION } from './local-names.ts';
import { LOOPBACK_HOST, listenOnLoopback, stopServer } from './loopback.ts';
import type { Endpoints } from './topology.ts';

/** What stands for AWS on this machine, and clients for it. */
export interface Services extends AsyncDisposable {
  readonly endpoints: Endpoints;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly bus: EventBus;
  readonly keys: KeyService;
}

/** Starts DynamoDB, SQS, S3, a key service and an event bus on free ports of the loopback interface; all is held in memory. */
export async function startServices(): Promise<Services> {
  await using started = new AsyncDisposableStack();
  const dynamodbServer = started.adopt(dynalite({ createTableMs: 0 }), stopServer);
  const dynamodbPort = await listenOnLoopback(dynamodbServer);
  const queuesAndBuckets = started.adopt(buildApp({ logger: false }), (app) => app.close());
  const awsUrl = await queuesAndBuckets.listen({ port: 0, host: LOOPBACK_HOST });

  const keys = started.use(await startKeyService());
  const bus = started.use(await startEventBus());

  const endpoints = {
    dynamodb: `http://${LOOPBACK_HOST}:${dynamodbPort}`,
    sqs: awsUrl,
    s3: awsUrl,
    events: bus.url,
    kms: keys.url,
  };
  const shared = { region: REGION, credentials: CREDENTIALS };
  const destroy = (client: { destroy(): void }) => client.destroy();
  const dynamodb = started.adopt(
    new DynamoDBClient({ ...shared, endpoint: endpoints.dynamodb }),
    destroy,
  );
  const sqs = started.adopt(new SQSClient({ ...shared, endpoint: endpoints.sqs }), destroy);
  const s3 = started.adopt(connectS3(endpoints.s3), destroy);
  const running = started.move();
  return {
    endpoints,
    dynamodb,
    sqs,
    s3,
    bus,
    keys,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function connectS3(endpoint: string): S3Client {
  return new S3Client({ endpoint, region: REGION, credentials: CREDENTIALS, forcePathStyle: true });
}
