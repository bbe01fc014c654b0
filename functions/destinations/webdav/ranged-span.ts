import { FerryError, toFerryError } from '../../core/errors.ts';
import { MiB, type PartPlan, type PartRange } from '../../core/parts.ts';
import type { Part, Span } from '../contract.ts';
import { sendInTime } from '../http/deadline.ts';
import { statusOf } from './errors.ts';
import { openPut } from './open-put.ts';
import { type By, rangeRequest } from './ranged-write.ts';
import type { Remote } from './remote.ts';

/**
 * The largest request, in bytes. Beside it a round trip to the other side of the world is short, and what
 * breaks costs less than what may be unsaved anyway.
 */
const LARGEST = 256 * MiB;
/** A request of several parts that failed is followed by ones that are smaller by this factor. */
const SMALLER = 4;
/** Login, lock, too many requests, no room: what a smaller request would be answered, too. */
const NOT_FOR_SIZE = [401, 423, 429, 503, 507];

/** A request under way that carries several parts in a row. */
export interface RangedSpan {
  /** The part that it takes next, and the one after its last. */
  readonly next: number;
  readonly end: number;
  /** Resolves when the part's bytes are with the system, and after the last one as `arrived` does. */
  take(part: Part, signal: AbortSignal): Promise<void>;
  /** Settles as the request does, looked at afterwards. */
  readonly arrived: Promise<void>;
  /** Breaks the request off; what the server has of it by then is written in place, and harmless. */
  stop(): void;
}

/** How many parts from this one on go in one request. */
export function partsAtOnce({ requests }: Remote, plan: PartPlan, span: Span | undefined): number {
  const most = Math.floor(Math.min(LARGEST, requests.mostBytes) / plan.partSize);
  return Math.max(1, Math.min(most, 1 + (span?.following ?? 0)));
}

/**
 * @param count of parts, all of which are going to come
 * @param signal breaks it off, also between two parts
 * @param assertArrived called with the last part when the server has acknowledged all
 */
export function openSpan(
  { server, requests }: Remote,
  plan: PartPlan,
  { by, url }: { readonly by: By; readonly url: string },
  first: PartRange,
  count: number,
  signal: AbortSignal,
  assertArrived: (last: PartRange, signal: AbortSignal) => Promise<unknown>,
): RangedSpan {
  const { offset } = first;
  const end = first.number + count;
  const length = Math.min(end * plan.partSize, plan.size) - offset;
  const request = rangeRequest(by, url, { offset, length, size: plan.size });
  const put = openPut(server, request, length, signal);
  const whole = Promise.withResolvers<void>();
  let next = first.number;

  const explain = (thrown: unknown): FerryError => {
    const error = toFerryError(thrown);
    if (signal.aborted) return error;
    requests.mostBytes = Math.max(plan.partSize, Math.floor(length / SMALLER));
    const status = statusOf(error);
    if (status === undefined || NOT_FOR_SIZE.includes(status)) return error;
    // Servers and proxies have many answers to what is too large; a smaller one shows whether it was that.
    return tooMuchAtOnce(error);
  };
  const failed = put.failed.catch((thrown) => {
    throw explain(thrown);
  });
  const arrived = Promise.race([whole.promise, failed]);
  // Whoever waits for a part hears of it.
  arrived.catch(() => {});

  return {
    get next() {
      return next;
    },
    end,
    async take(part, until) {
      const isLast = part.number === end - 1;
      try {
        await sendInTime(until, isLast ? length : part.length, async () => {
          await put.write(part.bytes);
          if (isLast) await put.end();
        });
        next += 1;
        if (!isLast) return;
        await assertArrived(part, until);
        whole.resolve();
      } catch (thrown) {
        put.stop();
        const error = explain(thrown);
        whole.reject(error);
        throw error;
      }
    },
    arrived,
    stop: () => put.stop(),
  };
}

function tooMuchAtOnce(cause: FerryError): FerryError {
  return new FerryError(
    'short-write',
    'The server did not take as much in one request. Ferry sends less at once.',
    { retry: 'now', scope: 'archive', cause },
  );
}
