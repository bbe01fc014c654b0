import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { openRunningMd5 } from '../../functions/destinations/webdav/running-md5.ts';

const PARTS = [Buffer.from('of one '), Buffer.from('file')];
const PLAN = { size: 11, partSize: 7, count: 2 };
const MD5 = createHash('md5').update(Buffer.concat(PARTS)).digest('hex');

function digestWith(etags: readonly (string | undefined)[], held = 0): string | undefined {
  const md5 = openRunningMd5(PLAN, held);
  for (const [number, bytes] of PARTS.entries()) md5.take({ number, bytes }, etags[number]);
  return md5.digest();
}

it('is of the whole file, whether the server tells ETags that may be MD5s or none', () => {
  expect(digestWith([])).toBe(MD5);
  expect(digestWith([`"${'0a'.repeat(16)}"`, `"${'0B'.repeat(16)}"`])).toBe(MD5);
});

it('is none where it did not see the beginning', () => {
  expect(digestWith([], 1)).toBeUndefined();
});

it.each(['W/"5-62a"', '"5-62a5f0"', `W/"${'0a'.repeat(16)}"`, '5'])(
  'is none from a server whose ETag is %s, which no MD5 will ever equal',
  (etag) => {
    expect(digestWith([etag, undefined])).toBeUndefined();
    expect(digestWith([undefined, etag])).toBeUndefined();
  },
);
