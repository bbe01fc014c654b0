import { abortError, FerryError } from '../../../functions/core/errors.ts';
import type { Invocation } from '../cloud/environment.ts';
import { ask, type Trouble } from '../cloud/request.ts';
import type { ServerSite } from './server.ts';

/** How a driver in one process reaches its server. */
export interface Line {
  /** @throws FerryError as a driver of this kind words it */
  ask<T>(what: string, effect: () => T, how?: How): Promise<T>;
}

interface How {
  readonly signal?: AbortSignal;
  /** Bytes that go with it. */
  readonly bytes?: number;
  /** Needs room on the server's disk. */
  readonly writes?: boolean;
}

export interface LineSettings {
  readonly invocation: Invocation;
  readonly password: string;
  /** How often the kind's client sends a request, the first time included. */
  readonly attempts: number;
  /** Called now and then: unfinished uploads are lost. */
  forget(): void;
  /** Called now and then: what is not on disk is lost. */
  reboot?(): void;
}

const MOST_WAIT_MS = 120_000;

export function openLine(site: ServerSite, settings: LineSettings): Line {
  const { condition, name, nature, part, partMs } = site;
  const { faults, random } = nature;
  const service = { name, ms: [5, 300], attempts: settings.attempts } as const;
  const explain = (trouble: Trouble) => {
    if (trouble === 'no answer') return unreachable();
    const retryAfterMs = random.chance(0.5) ? random.between(0, MOST_WAIT_MS) : undefined;
    const how = { retry: 'later', retryAfterMs } as const;
    return new FerryError('throttled', 'The destination asks for fewer requests.', how);
  };
  return {
    async ask(what, effect, { signal, bytes = 0, writes = false } = {}) {
      const admitted = () => {
        if (settings.password !== condition.password) throw loginRefused();
        if (writes && condition.isFull) throw full();
        // Never at the moment of a write: its own answer would tell, and nobody can if that is lost, too.
        if (!writes && faults.strikes('forgotten')) settings.forget();
        if (faults.strikes('reboot')) settings.reboot?.();
        return effect();
      };
      const longerMs = (partMs * bytes * (0.5 + random.next())) / part;
      try {
        const { invocation } = settings;
        const request = { service, what, signal, longerMs, effect: admitted, explain };
        return await ask(nature, invocation, request);
      } catch (thrown) {
        if (signal?.aborted) throw abortError(signal);
        throw thrown;
      }
    },
  };
}

/** The same bytes as they arrive: sometimes with another bit. */
export function onTheWire({ nature }: ServerSite, bytes: Uint8Array): Buffer {
  const arrived = Buffer.from(bytes);
  if (arrived.length > 0 && nature.faults.strikes('flip')) {
    const at = nature.random.between(0, arrived.length - 1);
    arrived[at] = (arrived[at] ?? 0) ^ (1 << nature.random.between(0, 7));
  }
  return arrived;
}

export function unreachable(): FerryError {
  return new FerryError('unreachable', 'The connection to the server broke.', { retry: 'now' });
}

export function uploadLost(why: string): FerryError {
  const message = `What was sent cannot be continued: ${why}. It is started again.`;
  return new FerryError('upload-lost', message, { retry: 'now', scope: 'archive' });
}

export function shortWrite(): FerryError {
  const message = 'Not every part has arrived. The missing ones are sent.';
  return new FerryError('short-write', message, { retry: 'now', scope: 'archive' });
}

export function damaged(retry: 'now' | 'later'): FerryError {
  const message = 'What arrived was not what Ferry sent. It is sent again.';
  return new FerryError('corrupted', message, { retry, scope: 'archive' });
}

function loginRefused(): FerryError {
  const message = 'The server refuses the password. Check PASSWORD.';
  return new FerryError('auth-refused', message, { retry: 'never' });
}

function full(): FerryError {
  const message = 'The destination is full. Free some space or raise the quota.';
  return new FerryError('no-space', message, { retry: 'never' });
}
