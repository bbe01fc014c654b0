import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK,
  EMPTY_HASH,
  hashBlocks,
  type RunningContentHash,
  resumeContentHash,
  startContentHash,
  toContentHash,
} from '../../functions/destinations/dropbox/content-hash.ts';
import { contentHash } from '../../local/dropbox/content-hash.ts';

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

describe('content_hash', () => {
  it('is the hash of the hashes of blocks of 4 MiB', () => {
    const bytes = Buffer.alloc(2 * BLOCK + 1, 7);
    const blocks = [bytes.subarray(0, BLOCK), bytes.subarray(BLOCK, 2 * BLOCK), Buffer.alloc(1, 7)];
    const expected = digest(Buffer.concat(blocks.map(digest))).toString('hex');
    expect(toContentHash(hashBlocks(bytes))).toBe(expected);
    expect(contentHash(bytes)).toBe(expected);
    expect(EMPTY_HASH).toBe(digest(Buffer.alloc(0)).toString('hex'));
  });

  it('comes out the same however often it goes to another process, and may be asked at any time', async () => {
    const step = fc.constantFrom('add', 'move', 'ask');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const added: Buffer[] = [];
        const expected = () => toContentHash(Buffer.concat(added));
        let hash: RunningContentHash | undefined = await startContentHash();
        for (const what of steps) {
          const block = digest(Buffer.from([added.length]));
          if (what === 'add') {
            hash?.add(block);
            added.push(block);
          } else if (what === 'move') {
            hash = await resumeContentHash(JSON.parse(JSON.stringify(hash?.save())));
          } else expect(hash?.current()).toBe(expected());
        }
        expect(hash?.current()).toBe(expected());
      }),
      { numRuns: 50 },
    );
  });

  it('is small when it is saved, however much has passed', async () => {
    const hash = await startContentHash();
    for (let block = 0; block < 50_000; block++) hash.add(Buffer.alloc(32, block));
    expect(hash.save().length).toBeLessThan(200);
  });

  it('does not go on from a state of another build, or from none', async () => {
    const hash = await startContentHash();
    const state = Buffer.from(hash.save(), 'base64');
    state.writeUInt8(state.readUInt8(0) ^ 1, 0);
    for (const foreign of [state.toString('base64'), '', 'AAAA', '!']) {
      expect(await resumeContentHash(foreign)).toBeUndefined();
    }
  });
});
