import type { Archive } from './archive.ts';
import type { Prefix } from './ledger.ts';
import type { Digest } from './receipt.ts';

/** What JSON can hold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What is needed to continue a transfer in another process. Small, and without any secret. */
export interface Checkpoint {
  readonly v: 1;
  readonly archive: Archive;
  /** Bytes. Part numbers mean nothing under another part size. */
  readonly partSize: number;
  readonly prefix: Prefix;
  /** Present once every part has arrived: publishing may have begun. */
  readonly digest?: Digest | undefined;
  /** The driver's own part of it. */
  readonly upload: Json;
  /** When the first byte was read, epoch ms. */
  readonly startedAt: number;
}
