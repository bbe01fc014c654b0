import type { DavRequest, Server } from './server.ts';

/** How a server is asked to write into a file that is there. */
export type By = 'put-range' | 'patch';

/** A place of a file, in bytes. */
export interface Place {
  /** From the start of the file. */
  readonly offset: number;
  readonly length: number;
  /** Of the whole file. */
  readonly size: number;
}

/** A request for one place of a file, but for its body. */
export function rangeRequest(
  by: By,
  url: string,
  { offset, length, size }: Place,
): Pick<DavRequest, 'method' | 'url' | 'headers'> {
  const range = `${offset}-${offset + length - 1}`;
  if (by === 'put-range') {
    // RFC 9110, 14.5
    return { method: 'PUT', url, headers: { 'content-range': `bytes ${range}/${size}` } };
  }
  // sabre.io/dav/http-patch
  const headers = {
    'content-type': 'application/x-sabredav-partialupdate',
    'x-update-range': `bytes=${range}`,
  };
  return { method: 'PATCH', url, headers };
}

/**
 * Writes into a file that is there, in place: the same again is harmless. Whether the server does what
 * it is asked has to be proven before (`probe.ts`).
 */
export async function writeRange(
  server: Server,
  by: By,
  url: string,
  piece: { readonly offset: number; readonly bytes: Buffer; readonly size: number },
  signal: AbortSignal,
): Promise<void> {
  const { bytes } = piece;
  const request = rangeRequest(by, url, { ...piece, length: bytes.length });
  await server.call(signal, { ...request, body: bytes });
}
