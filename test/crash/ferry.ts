import { join } from 'node:path';
import { z } from 'zod';
import { DeliveryLog } from '../../local/delivery-log.ts';
import { type LocalFerry, startLocalFerry } from '../../local/local-ferry.ts';
import { startFront } from '../servers/http-front.ts';
import type { Watch } from './places/place.ts';
import { shorten, shortenDelay, shortenLease } from './short-waits.ts';
import { dynamoDbStep, sqsStep } from './steps.ts';

/** Ferry as it is deployed, whose workers can be seen and killed. */
export interface CrashFerry extends AsyncDisposable {
  readonly ferry: LocalFerry;
  /** Lets a user's requests to Ferry's own tables and queue be seen; undefined ends that. */
  watch(userId: string, watch: Watch | undefined): void;
  /** Resolves when nobody else is starting a job; what it gives lets the next one start. */
  startAlone(): Promise<Disposable>;
  /** Kills the worker that is at a user's job now; false where none is. */
  kill(userId: string): boolean;
}

const jobs = z.object({ Records: z.array(z.object({ body: z.string() })) });
const job = z.object({ userId: z.string() });

/** @param say gets what goes wrong, a line each */
export async function startCrashFerry(
  scratch: string,
  say: (line: string) => void,
): Promise<CrashFerry> {
  await using started = new AsyncDisposableStack();
  const watches = new Map<string, Watch>();
  const ferry = started.use(
    await startLocalFerry({
      users: [],
      scratch: join(scratch, 'ferry'),
      signal: new AbortController().signal,
      say,
      log: new DeliveryLog(),
      async adapt(topology, { endpoints }) {
        const fronts = {
          dynamodb: started.adopt(await startFront(endpoints.dynamodb), (front) => front.stop()),
          sqs: started.adopt(await startFront(endpoints.sqs), (front) => front.stop()),
        };
        fronts.dynamodb.react((seen, body) => {
          shortenLease(body);
          const own = dynamoDbStep(seen, body);
          return own && watches.get(own.userId)?.(own.step);
        });
        fronts.sqs.react((seen, body) => {
          shortenDelay(body);
          const own = sqsStep(seen, body);
          return own && watches.get(own.userId)?.(own.step);
        });
        return shorten(topology, {
          dynamodb: fronts.dynamodb.endpoint,
          sqs: fronts.sqs.endpoint,
        });
      },
    }),
  );
  const running = started.move();
  let starting: Promise<void> = Promise.resolve();
  return {
    ferry,
    async startAlone() {
      const before = starting;
      const { promise, resolve } = Promise.withResolvers<void>();
      starting = promise;
      await before;
      return { [Symbol.dispose]: resolve };
    },
    watch(userId, watch) {
      if (watch) watches.set(userId, watch);
      else watches.delete(userId);
    },
    kill: (userId) => ferry.pipeline.kill((event) => isJobOf(userId, event)) > 0,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function isJobOf(userId: string, event: unknown): boolean {
  const records = jobs.safeParse(event).data?.Records ?? [];
  return records.some(({ body }) => job.safeParse(JSON.parse(body)).data?.userId === userId);
}
