import { createHash } from 'node:crypto';

const MD5_HEX = /^[0-9a-f]{32}$/;

/** An ETag without quotes and weakness mark (RFC 9110, 8.8.3), which servers write or leave out at will. */
export function plainEtag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
}

/** The ETag that AWS gives to a part, where no key of the user's encrypts it: its MD5. */
export function partEtag(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

/**
 * The ETag that AWS gives to an object made of parts: the MD5 of the parts' MD5s and their number.
 * Undefined where the parts' own ETags are no MD5s.
 */
export function compositeEtag(parts: readonly string[]): string | undefined {
  if (!parts.every((etag) => MD5_HEX.test(etag))) return undefined;
  const hash = createHash('md5').update(Buffer.from(parts.join(''), 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}

/** ETags for a checkpoint: MD5s one after the other in base64, a third shorter than text; others as they are. */
export function packEtags(etags: readonly string[]): string | readonly string[] {
  if (!etags.every((etag) => MD5_HEX.test(etag))) return etags;
  return Buffer.from(etags.join(''), 'hex').toString('base64');
}

/** The reverse of `packEtags`. */
export function unpackEtags(packed: string | readonly string[]): readonly string[] {
  if (typeof packed !== 'string') return packed;
  return Buffer.from(packed, 'base64').toString('hex').match(/.{32}/g) ?? [];
}

/** A CRC-32 as S3 writes it: four bytes, big-endian, in base64. */
export function encodeCrc32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('base64');
}
