import type { Archive } from './archive.ts';
import type { Prefix } from './ledger.ts';
import type { Digest, Proof } from './receipt.ts';

/** What JSON can hold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** How far a published file has been read back. */
export interface ReadBack {
  /** What the destination itself said when it was published. */
  readonly proof: Proof;
  /** Bytes read so far. */
  readonly bytes: number;
  /** Saved SHA-256 of them; absent at the start. */
  readonly sha256?: string | undefined;
}

/** What is needed to continue a transfer in another process. Small, and without any secret. */
export interface Checkpoint {
  readonly v: 1;
  readonly archive: Archive;
  /** Bytes. Part numbers mean nothing under another part size. */
  readonly partSize: number;
  readonly prefix: Prefix;
  /** Present once every part has arrived: publishing may have begun. */
  readonly digest?: Digest | undefined;
  /** Present once the file is published and is being read back. */
  readonly readBack?: ReadBack | undefined;
  /** The driver's own part of it; absent where the transfer has to begin anew. */
  readonly upload?: Json | undefined;
  /** How often the transfer was begun anew because what had been sent was lost or damaged. */
  readonly restarts: number;
  /** When the first byte was read, epoch ms. */
  readonly startedAt: number;
}
