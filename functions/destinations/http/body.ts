import type { Readable } from 'node:stream';
import { abortError, FerryError } from '../../core/errors.ts';

/** A body that stands still for this long is given up, in ms. */
const IDLE_MS = 60_000;

/**
 * The bytes of an answer's body. Ends within moments of an abort, and when nothing comes any more;
 * the body is destroyed in any case.
 */
export async function* readBody(body: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = () => body.destroy(abortError(signal));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  const idle = setTimeout(() => body.destroy(stoodStill()), IDLE_MS);
  try {
    for await (const chunk of body) {
      idle.refresh();
      yield chunk;
      idle.refresh();
    }
  } finally {
    clearTimeout(idle);
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
}

function stoodStill(): FerryError {
  return new FerryError('timeout', 'The server stopped sending. Ferry tries again.', {
    retry: 'now',
  });
}
