import { PassThrough } from 'node:stream';
import { uploadLost } from '../upload-checkpoint.ts';
import { shortWrite } from './errors.ts';
import { explainMissing, isMissing } from './folders.ts';
import type { Server } from './server.ts';

/** A PUT under way, whose body comes piece by piece. */
export interface Put {
  /** Resolves when the piece is on its way and there is room for another; the bytes are free then. */
  write(bytes: Buffer): Promise<void>;
  /** Resolves when the server has acknowledged the whole. */
  end(): Promise<void>;
  /** Breaks it off; what was sent is of no use any more. */
  stop(): void;
}

/** @param size bytes of the whole body */
export function openPut(server: Server, url: string, size: number): Put {
  const stopping = new AbortController();
  const body = new PassThrough();
  const headers = { 'content-length': String(size) };
  const answer = server
    .callOnce(stopping.signal, { method: 'PUT', url, headers, body, length: size })
    .catch(async (thrown) => {
      if (!isMissing(thrown)) throw thrown;
      server.knownFolders.clear();
      const refusal = await explainMissing(server, url, size, thrown, stopping.signal);
      throw refusal ?? uploadLost('somebody has removed its folder');
    });
  // A server that answers before it has everything has refused, or does not store what it is sent.
  const tooEarly = answer.then(() => {
    throw shortWrite();
  });
  tooEarly.catch(() => {});

  return {
    async write(bytes) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // The stream holds on to what it has not passed on.
      body.write(Buffer.from(bytes), (error) => (error ? reject(error) : resolve()));
      const gone = promise.catch((error) => {
        if (body.destroyed) return tooEarly;
        throw error;
      });
      await Promise.race([gone, tooEarly]);
    },
    async end() {
      body.end();
      await answer;
    },
    stop() {
      stopping.abort();
      body.destroy();
    },
  };
}
