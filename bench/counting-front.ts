import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
  request as sendRequest,
} from 'node:http';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { listenOnLoopback, stopServer } from '../local/loopback.ts';
import type { Endpoints } from '../local/topology.ts';
import type { RequestCount } from './request-count.ts';

/** Servers in front of the embedded ones, which pass everything on and count it. */
export interface CountingFronts extends AsyncDisposable {
  readonly endpoints: Endpoints;
  /** What passed since this was asked last, by service and operation. */
  take(): readonly RequestCount[];
}

const consumed = z.object({
  ConsumedCapacity: z.object({ CapacityUnits: z.number() }).optional(),
});
const document = z.record(z.string(), z.unknown());

/** As people know the services. */
const NAMES: Readonly<Record<keyof Endpoints, string>> = {
  dynamodb: 'DynamoDB',
  sqs: 'SQS',
  s3: 'S3',
  events: 'EventBridge',
  kms: 'KMS',
};

/** Starts one in front of each service. */
export async function startCountingFronts(behind: Endpoints): Promise<CountingFronts> {
  await using started = new AsyncDisposableStack();
  let counts = new Map<string, RequestCount>();
  const count = (service: string, operation: string, units: number) => {
    const name = `${service} ${operation}`;
    const { requests = 0, units: earlier = 0 } = counts.get(name) ?? {};
    counts.set(name, { service, operation, requests: requests + 1, units: earlier + units });
  };
  const start = async (service: keyof Endpoints): Promise<string> => {
    const pass = service === 'dynamodb' ? passMetered : passOn;
    const server = createServer((incoming, outgoing) => {
      const done = (units = 0) => count(NAMES[service], operationOf(incoming), units);
      pass(behind[service], incoming, outgoing, done).catch(() => outgoing.destroy());
    });
    // Nobody sends into a connection that is being closed since there was nothing to say for a while.
    server.keepAliveTimeout = 0;
    started.adopt(server, stopServer);
    return `http://127.0.0.1:${await listenOnLoopback(server)}`;
  };
  const endpoints = {
    dynamodb: await start('dynamodb'),
    sqs: await start('sqs'),
    s3: await start('s3'),
    events: await start('events'),
    kms: await start('kms'),
  };
  const running = started.move();
  return {
    endpoints,
    take() {
      const taken = [...counts.values()];
      counts = new Map();
      return taken;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** As AWS calls it: JSON services name it, S3's is told by method and address. */
function operationOf({ headers, method = '', url = '' }: IncomingMessage): string {
  const [, operation] = String(headers['x-amz-target'] ?? '').split('.');
  if (operation) return operation;
  if (method === 'GET' && url.includes('list-type=2')) return 'ListObjectsV2';
  return `${method.charAt(0)}${method.slice(1).toLowerCase()}Object`;
}

/**
 * Passes one request on and its answer back.
 * @param done called before the answer is on its way, with the units that it has cost
 */
type Pass = (
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  done: (units?: number) => void,
) => Promise<void>;

const passOn: Pass = async (target, incoming, outgoing, done) => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = sendRequest(asked(target, incoming), resolve).on('error', reject);
  await pipeline(incoming, request);
  const answer = await promise;
  done();
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, outgoing);
};

/** DynamoDB is made to tell what it has cost. */
const passMetered: Pass = async (target, incoming, outgoing, done) => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const input = document.parse(JSON.parse(await text(incoming)));
  const body = JSON.stringify({ ...input, ReturnConsumedCapacity: 'TOTAL' });
  const { headers, ...to } = asked(target, incoming);
  const metered = { ...headers, 'content-length': `${Buffer.byteLength(body)}` };
  sendRequest({ ...to, headers: metered }, resolve)
    .on('error', reject)
    .end(body);
  const answer = await promise;
  const told = await text(answer);
  const { ConsumedCapacity: used } = consumed.parse(JSON.parse(told));
  // A condition that does not hold is not told of, and costs what the smallest write does.
  done(used?.CapacityUnits ?? 1);
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(told);
};

function asked(target: string, { headers, method, url: path }: IncomingMessage) {
  const { hostname: host, port } = new URL(target);
  return { host, port, method, path, headers };
}
