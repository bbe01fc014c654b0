import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Archive } from '../../functions/core/archive.ts';
import { crc32Of } from '../../functions/core/crc32.ts';
import { EMPTY_PREFIX, type Prefix } from '../../functions/core/ledger.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import { sha256 } from '../../functions/digest/sha256.ts';
import { openBooks } from '../../functions/transfer/books.ts';
import type { Source } from '../../functions/transfer/ports.ts';

const PART = 10;
const bytes = Buffer.from('what is staged, as it is read now');
const plan = { size: bytes.length, partSize: PART, count: 4 };
const archive: Archive = {
  key: 'user/html/site.tar',
  component: 'html',
  file: 'site.tar',
  etag: '"e"',
  size: bytes.length,
};

/** Opens the books where so many parts are held, and says what was read for it. */
async function open(held: number, saved: Prefix) {
  const read: number[] = [];
  const source: Pick<Source, 'read'> = {
    async read(_archive, { offset, length }, into) {
      read.push(offset / PART);
      bytes.copy(into, 0, offset, offset + length);
      return into.subarray(0, length);
    },
  };
  const whole = { ...source, list: () => nothing(), pin: () => Promise.reject(new Error('no')) };
  const buffer = Buffer.alloc(PART);
  const ledger = await openBooks(archive, plan, held, saved, whole, sha256, buffer, NEVER);
  return { ledger, read };
}

async function* nothing() {}

function prefixOf(parts: number, of = bytes): Prefix {
  return { parts, crc32: crc32Of(of.subarray(0, parts * PART)) };
}

describe('the books of a transfer that goes on', () => {
  it('are read again as far as nobody could save them, and end with the digest of all', async () => {
    const { ledger, read } = await open(2, prefixOf(2));
    expect(read).toEqual([0, 1]);
    for (const number of [2, 3]) {
      ledger.take(number, bytes.subarray(number * PART, (number + 1) * PART));
      ledger.settle(number);
    }
    expect(ledger.digest()).toEqual({
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      crc32: crc32Of(bytes),
    });
  });

  it('are read again once only, however often the transfer goes on', async () => {
    const first = await open(2, prefixOf(2));
    const second = await open(2, first.ledger.prefix());
    expect(second.read).toEqual([]);
    second.ledger.take(2, bytes.subarray(2 * PART, 3 * PART));
    second.ledger.settle(2);
    const third = await open(3, second.ledger.prefix());
    expect(third.read).toEqual([]);
    third.ledger.take(3, bytes.subarray(3 * PART));
    third.ledger.settle(3);
    expect(third.ledger.digest().sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('begin with what is held, whether that is more or less than was saved', async () => {
    expect((await open(3, prefixOf(1))).ledger.prefix()).toMatchObject(prefixOf(3));
    expect((await open(1, prefixOf(3))).ledger.prefix()).toMatchObject(prefixOf(1));
    expect((await open(0, EMPTY_PREFIX)).read).toEqual([]);
  });

  it.each([
    ['as many as were saved', 2],
    ['fewer', 1],
    ['more', 3],
  ])('are refused where what was sent was read otherwise; held are %s', async (_, held) => {
    const other = Buffer.from(bytes);
    other[3] = ~(other[3] ?? 0);
    await expect(open(held, prefixOf(2, other))).rejects.toMatchObject({
      code: 'corrupted',
      retry: 'now',
    });
  });
});
