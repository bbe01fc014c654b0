import { setTimeout as wait } from 'node:timers/promises';
import { FerryError } from '../../core/errors.ts';
import { MiB } from '../../core/parts.ts';
import type { Connection } from './connection.ts';

/** With the first one; providers of storage allow about ten at once (Hetzner's Storage Box: 10). */
const MOST_CONNECTIONS = 8;

/**
 * The round trip, in ms, that one connection is enough for: it moves 2 MiB in each, so this is about
 * as much as one function encrypts.
 */
const MS_EACH = 8;

/** One more for each so many bytes, once the first has carried what it can until the others are there. */
const BYTES_EACH = 8 * MiB;
const BYTES_ALONE = 24 * MiB;

/** How long those that are still being made are waited for at the end, in ms. */
const GOODBYE_MS = 2_000;

/** Further connections to the server that a first one leads to. */
export interface Companions {
  /**
   * Makes as many as are wanted and not there yet, all at once and without being waited for, and hands
   * over each that is there or comes. A server that refuses one, or loses one, is asked for no more.
   */
  invite(count: number, meet: (companion: Connection) => void): void;
  close(): Promise<void>;
}

/**
 * How many connections carry a file, the first one included.
 * @param bytes that are still to be sent
 * @param roundTripMs between us and the server
 */
export function connectionsFor(bytes: number, roundTripMs: number): number {
  const bySize = 1 + Math.floor(Math.max(0, bytes - BYTES_ALONE) / BYTES_EACH);
  return Math.max(1, Math.min(MOST_CONNECTIONS, bySize, Math.ceil(roundTripMs / MS_EACH)));
}

/** @param connect makes one, until the signal aborts */
export function openCompanions(connect: (signal: AbortSignal) => Promise<Connection>): Companions {
  const closing = new AbortController();
  const made: Promise<Connection>[] = [];
  let isEnough = false;

  return {
    invite(count, meet) {
      while (made.length < count && !isEnough) {
        made.push(connect(closing.signal));
      }
      for (const companion of made.slice(0, count)) {
        companion.then(
          (connection) => {
            if (connection.isLost) isEnough = true;
            else meet(connection);
          },
          () => {
            isEnough = true;
          },
        );
      }
    },
    async close() {
      isEnough = true;
      const over = new AbortController();
      const all = Promise.allSettled(made);
      // OpenSSH holds it against an address when connections end before the login (PerSourcePenalties).
      const patience = wait(GOODBYE_MS, undefined, { signal: over.signal }).catch(() => {});
      await Promise.race([all, patience]);
      over.abort();
      closing.abort(new FerryError('aborted', 'The destination was closed.', { retry: 'later' }));
      const settled = await all;
      await Promise.all(
        settled.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)),
      );
    },
  };
}
