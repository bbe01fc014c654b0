import type { Server } from './server.ts';

/** Bytes that belong to one place of a file. */
export interface Piece {
  /** From the start of the file. */
  readonly offset: number;
  readonly bytes: Buffer;
  /** Of the whole file, in bytes. */
  readonly size: number;
}

/**
 * Writes into a file that is there, in place: the same again is harmless. Whether the server does what
 * it is asked has to be proven before (`probe.ts`).
 */
export async function writeRange(
  server: Server,
  by: 'put-range' | 'patch',
  url: string,
  { offset, bytes, size }: Piece,
  signal: AbortSignal,
): Promise<void> {
  const range = `${offset}-${offset + bytes.length - 1}`;
  if (by === 'put-range') {
    // RFC 9110, 14.5
    const headers = { 'content-range': `bytes ${range}/${size}` };
    await server.call(signal, { method: 'PUT', url, headers, body: bytes });
    return;
  }
  // sabre.io/dav/http-patch
  const headers = {
    'content-type': 'application/x-sabredav-partialupdate',
    'x-update-range': `bytes=${range}`,
  };
  await server.call(signal, { method: 'PATCH', url, headers, body: bytes });
}
