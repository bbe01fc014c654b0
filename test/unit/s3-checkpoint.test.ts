import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { compositeEtag, encodeCrc32, plainEtag } from '../../functions/destinations/s3/etags.ts';
import {
  readCheckpoint,
  writeCheckpoint,
} from '../../functions/destinations/s3/multipart-checkpoint.ts';

const FILE = { path: 'html/a.tar', size: 10_000 * 16 * MiB, transferId: '0123456789abcdef' };
const PLAN = { size: FILE.size, partSize: 16 * MiB, count: 10_000 };
const md5 = fc.stringMatching(/^[0-9a-f]{32}$/);

describe('the checkpoint of a multipart upload', () => {
  it('gives back through JSON what was put in, whatever the ETags look like', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.oneof(fc.array(md5), fc.array(fc.string({ minLength: 1 }))),
        (uploadId, etags) => {
          const stored = JSON.parse(
            JSON.stringify(writeCheckpoint(FILE, PLAN, { uploadId, etags })),
          );
          expect(readCheckpoint(FILE, PLAN, stored)).toEqual({ uploadId, etags });
        },
      ),
    );
  });

  it('is refused with another file, another part size or more parts than there are', () => {
    const checkpoint = writeCheckpoint(FILE, PLAN, { uploadId: 'u', etags: ['x', 'y'] });
    expect(
      readCheckpoint({ ...FILE, transferId: 'f'.repeat(16) }, PLAN, checkpoint),
    ).toBeUndefined();
    expect(readCheckpoint(FILE, { ...PLAN, partSize: 8 * MiB }, checkpoint)).toBeUndefined();
    expect(readCheckpoint(FILE, { ...PLAN, count: 1 }, checkpoint)).toBeUndefined();
  });

  it('stays below 220 KB at the most parts that S3 allows', () => {
    const etags = Array.from({ length: 10_000 }, (_, n) => n.toString(16).padStart(32, '0'));
    const checkpoint = writeCheckpoint(FILE, PLAN, { uploadId: 'u'.repeat(128), etags });
    expect(JSON.stringify(checkpoint).length).toBeLessThan(220_000);
  });
});

describe('ETags and checksums', () => {
  it('are read with quotes, without them and as weak ones', () => {
    for (const etag of ['"abc"', 'abc', 'W/"abc"']) expect(plainEtag(etag)).toBe('abc');
  });

  it('give the MD5 of the MD5s of the parts and their number', () => {
    // Parts of 5 MiB and of 1 byte, all zeros; computed with Python's hashlib.
    const parts = ['5f363e0e58a95f06cbe9bbc662c5dfb6', '93b885adfe0da089cdf634904fd59f71'];
    expect(compositeEtag(parts)).toBe('92f3a08aa3b1d7eb318ab9c2fc4a6ec3-2');
    expect(compositeEtag(['not an md5'])).toBeUndefined();
  });

  it('write a CRC-32 as S3 does: the check value of "123456789" is cbf43926', () => {
    expect(encodeCrc32(0xcbf43926)).toBe('y/Q5Jg==');
  });
});
