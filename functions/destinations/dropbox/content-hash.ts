import { createHash } from 'node:crypto';
import { createSHA256, type IHasher } from 'hash-wasm';
import { MiB } from '../../core/parts.ts';

/** The grid of Dropbox: of its content_hash and of concurrent upload sessions, in bytes. */
export const BLOCK = 4 * MiB;

/**
 * SHA-256 of each block, one after the other: what a content_hash is made of
 * (dropbox.com/developers/reference/content-hash).
 */
export function hashBlocks(bytes: Uint8Array): Buffer {
  const hashes: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    hashes.push(createHash('sha256').update(block).digest());
  }
  return Buffer.concat(hashes);
}

/** The content_hash of bytes whose blocks were hashed, lowercase hex. */
export function toContentHash(blockHashes: Uint8Array): string {
  return createHash('sha256').update(blockHashes).digest('hex');
}

/** The content_hash of nothing. */
export const EMPTY_HASH = toContentHash(new Uint8Array());

/**
 * The content_hash of a file whose parts are hashed one by one. Only the hashes of blocks run through
 * it, so that its being WebAssembly costs nothing; in return its state can go to another process.
 */
export interface RunningContentHash {
  /** In order of the file. */
  add(blockHashes: Uint8Array): void;
  /** Its state so far, as text. */
  save(): string;
  /** Of all that was added so far. */
  current(): string;
}

/** Begins the content_hash of a file. */
export async function startContentHash(): Promise<RunningContentHash> {
  return running((await createSHA256()).init());
}

/** Goes on from a saved state; undefined where another build of hash-wasm saved it. */
export async function resumeContentHash(state: string): Promise<RunningContentHash | undefined> {
  const hasher = await createSHA256();
  try {
    return running(hasher.load(Buffer.from(state, 'base64')));
  } catch {
    return undefined;
  }
}

function running(hasher: IHasher): RunningContentHash {
  return {
    add: (blockHashes) => void hasher.update(blockHashes),
    save: () => Buffer.from(hasher.save()).toString('base64'),
    current() {
      const saved = hasher.save();
      const digest = hasher.digest('hex');
      hasher.load(saved);
      return digest;
    },
  };
}
