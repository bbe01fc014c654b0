import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Dropbox hashes files by blocks of so many bytes (dropbox.com/developers/reference/content-hash). */
export const BLOCK = 4 * 1024 * 1024;

/** Dropbox's content_hash of bytes in memory, lowercase hex. */
export function contentHash(bytes: Uint8Array): string {
  const whole = createHash('sha256');
  for (let at = 0; at < bytes.length; at += BLOCK) {
    whole.update(
      createHash('sha256')
        .update(bytes.subarray(at, at + BLOCK))
        .digest(),
    );
  }
  return whole.digest('hex');
}

/** Dropbox's content_hash of a file on disk, read by pieces. */
export async function contentHashOfFile(path: string): Promise<string> {
  const whole = createHash('sha256');
  let block: Hash | undefined;
  let filled = 0;
  for await (const piece of createReadStream(path, { highWaterMark: BLOCK })) {
    let rest: Buffer = piece;
    while (rest.length > 0) {
      const taken = rest.subarray(0, BLOCK - filled);
      block = (block ?? createHash('sha256')).update(taken);
      filled += taken.length;
      rest = rest.subarray(taken.length);
      if (filled < BLOCK) continue;
      whole.update(block.digest());
      block = undefined;
      filled = 0;
    }
  }
  if (block) whole.update(block.digest());
  return whole.digest('hex');
}
