import { createCipheriv, createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Digest } from '../../functions/core/receipt.ts';

/** Bytes that look random, differ from any other seed's and are the same in every run. */
export function sampleBytes(length: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

export function digestOf(bytes: Buffer): Digest {
  return {
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    crc32: crc32(bytes),
  };
}
