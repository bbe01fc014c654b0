import { GiB, MiB } from '../core/parts.ts';

/** For a person. */
export function inGib(bytes: number): string {
  return `${(bytes / GiB).toFixed(2)} GiB`;
}

/**
 * What a connection test says of the space that is left.
 * @param bytes undefined where the protocol has a question for it, and the server no answer
 */
export function describeRoom(bytes: number | undefined): string {
  if (bytes === undefined) return 'the server does not tell';
  return bytes < GiB ? `${Math.floor(bytes / MiB)} MiB free` : `${inGib(bytes)} free`;
}
