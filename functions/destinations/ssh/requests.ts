import { MiB } from '../../core/parts.ts';

const KiB = 1024;

/**
 * Bytes of one read or write request. ssh2 splits a write above 31,952 bytes into two that wait for
 * each other, unless the server is known to take more; 28 KiB is below it and a multiple of a page.
 */
export const REQUEST_BYTES = 28 * KiB;

/**
 * OpenSSH takes 255 KiB (sftp-common.h), and ssh2 sends it up to 254 in one. Half of that costs no more
 * CPU time and less memory; whole pages, so that connections that share a file share no page of it.
 */
const OPENSSH_REQUEST_BYTES = 124 * KiB;

/** Bytes on their way at once, at most: the window that OpenSSH grants a channel (channels.h). */
const WINDOW_BYTES = 2 * MiB;

/**
 * What keeps an OpenSSH server at work, and for each ms of a round trip what a fast line carries
 * meanwhile. Of all beyond it the server makes a queue, and while that grows to 2 MiB it copies it for
 * each packet (sshbuf.c): up to a second of CPU time on every connection.
 */
const NEAR_BYTES = 384 * KiB;
const BYTES_A_MS = 256 * KiB;

/** How the writes of one connection are sent. */
export interface WriteRequests {
  /** Bytes of one. */
  readonly bytes: number;
  /** How many may be on their way at once. */
  readonly atOnce: number;
}

/** @param roundTripMs between us and the server */
export function writeRequests(isOpenSsh: boolean, roundTripMs: number): WriteRequests {
  // What another server does with a write may take longer than its round trip tells.
  if (!isOpenSsh) return { bytes: REQUEST_BYTES, atOnce: Math.floor(WINDOW_BYTES / REQUEST_BYTES) };
  const window = Math.min(WINDOW_BYTES, NEAR_BYTES + roundTripMs * BYTES_A_MS);
  return { bytes: OPENSSH_REQUEST_BYTES, atOnce: Math.floor(window / OPENSSH_REQUEST_BYTES) };
}
