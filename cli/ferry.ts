import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { TRANSLATION } from '../functions/settings/translation.ts';
import {
  type DeploymentOutputs,
  findRunningFerry,
  runningFerryFile,
} from '../local/running-ferry.ts';
import { readOutputs } from './deployed.ts';
import { notFound } from './failure.ts';

/** Which Ferry a command is about. */
export interface FerryChoice {
  /** The one that runs on this machine. */
  readonly local: boolean;
  readonly stage: string;
  /** Found in the environment or the profile where it is not given, as by every AWS tool. */
  readonly region?: string | undefined;
}

/** A deployment, and clients for what it consists of. */
export interface Ferry extends Disposable {
  readonly outputs: DeploymentOutputs;
  /** What the staging bucket takes in one request, in bytes. */
  readonly largestPart: number;
  readonly documents: DynamoDBDocumentClient;
  readonly kms: KMSClient;
  readonly lambda: LambdaClient;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
}

/** A connection test and a full invocation may take as long; in ms. */
const LONGEST_INVOCATION = 5 * 60_000;

const MiB = 1024 * 1024;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const S3_LARGEST_PART = 5 * 1024 * MiB;
/** The embedded S3 takes no request larger than 11 MiB. */
const EMBEDDED_LARGEST_PART = 8 * MiB;

/** @throws Failure where there is no such Ferry */
export async function openFerry(choice: FerryChoice): Promise<Ferry> {
  if (!choice.local) {
    const shared = choice.region === undefined ? {} : { region: choice.region };
    const cloudFormation = new CloudFormationClient(shared);
    try {
      const outputs = await readOutputs(cloudFormation, choice.stage);
      return connect(outputs, S3_LARGEST_PART, () => shared);
    } finally {
      cloudFormation.destroy();
    }
  }
  const running = await findRunningFerry();
  if (!running) {
    throw notFound(
      `No Ferry runs on this machine (${runningFerryFile()}). Start one with: npm start -- --keep`,
    );
  }
  const { credentials, endpoints, outputs, region } = running;
  return connect(outputs, EMBEDDED_LARGEST_PART, (service) => {
    const endpoint = endpoints[service];
    if (endpoint === undefined) throw notFound(`The Ferry on this machine has no ${service}.`);
    return { region, credentials, endpoint, forcePathStyle: true };
  });
}

interface Connection {
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly endpoint?: string;
  readonly forcePathStyle?: boolean;
}

function connect(
  outputs: DeploymentOutputs,
  largestPart: number,
  to: (service: string) => Connection,
): Ferry {
  const dynamodb = new DynamoDBClient(to('dynamodb'));
  const clients = {
    s3: new S3Client(to('s3')),
    sqs: new SQSClient({ ...to('sqs'), useQueueUrlAsEndpoint: false }),
    kms: new KMSClient(to('kms')),
    lambda: new LambdaClient({
      ...to('lambda'),
      maxAttempts: 1,
      requestHandler: { requestTimeout: LONGEST_INVOCATION },
    }),
  };
  return {
    outputs,
    largestPart,
    documents: DynamoDBDocumentClient.from(dynamodb, TRANSLATION),
    ...clients,
    [Symbol.dispose]() {
      for (const client of [dynamodb, ...Object.values(clients)]) client.destroy();
    },
  };
}
