import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { LOOPBACK_HOST, listenOnLoopback, stopServer } from './loopback.ts';

/**
 * Stands for EventBridge's default bus, as far as it takes events: it keeps what it is sent, and shows
 * it as JSON to whoever looks at its address. It has no rules and no targets.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export interface EventBus extends AsyncDisposable {
  readonly url: string;
  /** What was sent, in order. */
  readonly events: readonly BusEvent[];
  /** Told of each event that comes from now on. */
  listen(listener: (event: BusEvent) => void): void;
}

const entry = z.strictObject({
  Source: z.string().min(1),
  DetailType: z.string().min(1).max(128),
  Detail: z.string().transform((given) => z.record(z.string(), z.json()).parse(JSON.parse(given))),
});
const request = z.strictObject({ Entries: z.array(entry).min(1).max(10) });

export interface BusEvent {
  readonly source: string;
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** Size that all entries of one request may have together, in bytes. */
const MOST_BYTES = 256 * 1024;

export async function startEventBus(): Promise<EventBus> {
  const events: BusEvent[] = [];
  const listeners: ((event: BusEvent) => void)[] = [];
  const take = (body: string) => {
    if (Buffer.byteLength(body) > MOST_BYTES)
      throw new Error('The entries are larger than 256 KiB.');
    return request.parse(JSON.parse(body)).Entries.map(({ Source, DetailType, Detail }) => {
      const at = new Date().toISOString();
      const event = { source: Source, type: DetailType, detail: Detail, at };
      events.push(event);
      for (const listener of listeners) listener(event);
      return { EventId: randomUUID() };
    });
  };
  const answer = async (asked: IncomingMessage): Promise<[number, unknown]> => {
    if (asked.method === 'GET') return [200, events];
    if (asked.headers['x-amz-target'] !== 'AWSEvents.PutEvents') {
      return [400, { __type: 'UnknownOperationException' }];
    }
    try {
      return [200, { FailedEntryCount: 0, Entries: take(await text(asked)) }];
    } catch (error) {
      return [400, { __type: 'ValidationException', message: String(error) }];
    }
  };
  const server = createServer(async (asked, response) => {
    const [status, body] = await answer(asked);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(body));
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://${LOOPBACK_HOST}:${port}`,
    events,
    listen: (listener) => void listeners.push(listener),
    [Symbol.asyncDispose]: () => stopServer(server),
  };
}
