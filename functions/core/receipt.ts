import type { Archive } from './archive.ts';

/** Digests of a whole archive as it passed through Ferry. */
export interface Digest {
  /** Bytes. */
  readonly size: number;
  /** Lowercase hex, what `sha256sum` prints. */
  readonly sha256: string;
  /** Unsigned 32-bit value. */
  readonly crc32: number;
}

/** How a delivery is verified at least: by size, by checksum or, where there is none, by reading back. */
export type Verification = 'size' | 'checksum' | 'readback';

/**
 * What the destination itself said of the finished file.
 * - `checksum`: it gave or checked a checksum over every byte.
 * - `readback`: every byte was read again and compared.
 * - `size`: it could only tell the size.
 */
export interface Proof {
  readonly verified: Verification;
  /** One line for a person: who vouched for what, e.g. `sha256sum on the server`. */
  readonly how: string;
  /** Full path or key at the destination. */
  readonly remotePath: string;
  /** Bytes, as the destination reports them. */
  readonly size: number;
  /** The destination's own checksum or ETag of the file, as it spells it. */
  readonly checksum?: string | undefined;
}

/** The proof of one delivery. */
export interface Receipt {
  readonly v: 1;
  readonly jobId: string;
  readonly destination: string;
  readonly archive: Archive;
  readonly digest: Digest;
  readonly proof: Proof;
  /** ISO 8601, UTC. */
  readonly deliveredAt: string;
  /** From the first byte read to the proof, over all hops, in ms. */
  readonly durationMs: number;
}
