import { Readable } from 'node:stream';
import { uploadLost } from '../upload-checkpoint.ts';
import { shortWrite } from './errors.ts';
import { explainMissing, isMissing } from './folders.ts';
import type { DavRequest, Server } from './server.ts';
import type { Piece } from './transport.ts';

/** A request under way, whose body comes piece by piece. */
export interface Put {
  /** Resolves when the system has the bytes; they are free then. */
  write(bytes: Buffer): Promise<void>;
  /** Resolves when the server has acknowledged the whole. */
  end(): Promise<void>;
  /** Rejects when it fails, or is answered before its end. */
  readonly failed: Promise<never>;
  /** Breaks it off. */
  stop(): void;
}

/**
 * @param length bytes of the whole body
 * @param signal breaks it off, also while no piece is there
 */
export function openPut(
  server: Server,
  request: Pick<DavRequest, 'method' | 'url' | 'headers'>,
  length: number,
  signal: AbortSignal,
): Put {
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  const body = new Readable({ objectMode: true, read() {} });
  const headers = { ...request.headers, 'content-length': String(length) };
  const answer = server
    .callOnce(either, { ...request, headers, body, length })
    .catch(async (thrown) => {
      if (!isMissing(thrown)) throw thrown;
      server.knownFolders.clear();
      const refusal = await explainMissing(server, request.url, length, thrown, either);
      throw refusal ?? uploadLost('somebody has removed its folder');
    });
  // A server that answers before it has everything has refused, or does not store what it is sent.
  let given = 0;
  const failed = answer.then((): Promise<never> => {
    if (given === length) return new Promise(() => {});
    throw shortWrite();
  });
  failed.catch(() => body.destroy());

  return {
    async write(bytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      given += bytes.length;
      const piece: Piece = { bytes, sent: resolve };
      body.push(piece);
      await Promise.race([promise, failed]);
    },
    failed,
    async end() {
      body.push(null);
      await answer;
    },
    stop() {
      stopping.abort();
      body.destroy();
    },
  };
}
