import { reduceCause } from './cause.ts';
import { hideUnusualSecrets } from './known-secrets.ts';

/** What went wrong, as a word that programs, alarms and tests can match on. */
export type ErrorCode =
  | 'aborted'
  | 'address-forbidden'
  | 'auth-refused'
  | 'cancelled'
  | 'corrupted'
  | 'host-key-changed'
  | 'host-key-unknown'
  | 'internal'
  | 'lease-lost'
  | 'message-unreadable'
  | 'name-refused'
  | 'no-space'
  | 'not-found'
  | 'permission-denied'
  | 'policy'
  | 'protocol'
  | 'secret-unreadable'
  | 'server-error'
  | 'setting-invalid'
  | 'settings-unchecked'
  | 'short-write'
  | 'source-changed'
  | 'source-missing'
  | 'source-unreadable'
  | 'switched-off'
  | 'throttled'
  | 'timeout'
  | 'tls-untrusted'
  | 'too-large'
  | 'unreachable'
  | 'upload-lost'
  | 'worker-lost';

/**
 * When trying again can help.
 * - `now`: the connection broke or a part went wrong; resume within this invocation.
 * - `later`: give the message back to the queue, which waits longer each time.
 * - `never`: somebody has to change something first.
 */
export type Retry = 'now' | 'later' | 'never';

/** Whether the trouble is this one archive's or stands in the way of all that go to the destination. */
export type ErrorScope = 'archive' | 'destination';

export interface FerryErrorOptions {
  readonly retry: Retry;
  /** Defaults to `destination`. */
  readonly scope?: ErrorScope;
  /** How long the other side asked us to wait, in ms. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error that crosses Ferry's borders. Its message is a sentence for the user: what is wrong
 * and what to change, with no secret in it. The cause is kept for whoever debugs, reduced to what can
 * hold no secret (`cause.ts`): this is the one place where that is done.
 */
export class FerryError extends Error {
  override readonly name = 'FerryError';
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly scope: ErrorScope;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: FerryErrorOptions) {
    super(hideUnusualSecrets(message), { cause: reduced(options.cause) });
    this.code = code;
    this.retry = options.retry;
    this.scope = options.scope ?? 'destination';
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An error of our own has been reduced already, and its causes with it. */
function reduced(cause: unknown): unknown {
  return cause instanceof FerryError ? cause : reduceCause(cause);
}

/** Any thrown value as a FerryError; one we did not foresee is `internal` and worth another try. */
export function toFerryError(thrown: unknown): FerryError {
  if (thrown instanceof FerryError) return thrown;
  return new FerryError(
    'internal',
    'Ferry met an error it did not expect. The run is tried again; if it stays, report it with the job id.',
    { retry: 'later', cause: thrown },
  );
}

/** The error that an aborted signal stands for: its reason when that is ours, else `aborted`. */
export function abortError(signal: AbortSignal): FerryError {
  if (signal.reason instanceof FerryError) return signal.reason;
  return new FerryError('aborted', 'The transfer was stopped before it was done.', {
    retry: 'later',
    cause: signal.reason,
  });
}
