import { abortError, type FerryError } from '../../core/errors.ts';

/** Bounds how many requests of one connection are on their way. First come, first served. */
export interface Window {
  /** Resolves when there is room. Each `enter` that resolved is answered by one `leave`. */
  enter(signal: AbortSignal): Promise<void>;
  leave(): void;
  /** Turns away everybody who waits and who comes. */
  close(error: FerryError): void;
}

interface Waiting {
  enter(): void;
  turnAway(error: FerryError): void;
}

/** @param size requests that may be on their way at once */
export function openWindow(size: number): Window {
  const waiting = new Set<Waiting>();
  let free = size;
  let closed: FerryError | undefined;

  return {
    async enter(signal) {
      if (closed) throw closed;
      if (signal.aborted) throw abortError(signal);
      if (free > 0) {
        free -= 1;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const stop = () => turn.turnAway(abortError(signal));
        const done = () => {
          waiting.delete(turn);
          signal.removeEventListener('abort', stop);
        };
        const turn: Waiting = {
          enter() {
            done();
            resolve();
          },
          turnAway(error) {
            done();
            reject(error);
          },
        };
        waiting.add(turn);
        signal.addEventListener('abort', stop);
      });
    },
    leave() {
      const [next] = waiting;
      if (next) next.enter();
      else free += 1;
    },
    close(error) {
      closed ??= error;
      for (const turn of [...waiting]) turn.turnAway(error);
    },
  };
}
