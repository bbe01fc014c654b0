import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineCrc32 } from '../../functions/core/crc32.ts';
import { EMPTY_PREFIX, openLedger } from '../../functions/core/ledger.ts';
import { GiB, partRange } from '../../functions/core/parts.ts';
import { sha256 } from '../../functions/digest/sha256.ts';

const bytesOf = (size: number, partSize: number) => {
  const bytes = randomBytes(size);
  const plan = { size, partSize, count: Math.ceil(size / partSize) };
  const part = (n: number) => {
    const { offset, length } = partRange(plan, n);
    return bytes.subarray(offset, offset + length);
  };
  return { bytes, plan, part };
};
const sizes = fc.record({
  size: fc.integer({ min: 0, max: 5000 }),
  partSize: fc.integer({ min: 1, max: 700 }),
});

describe('combined CRC-32', () => {
  it('is that of both runs together', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const whole = crc32(Buffer.concat([a, b]));
        expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(whole);
      }),
    );
  });

  it('holds for lengths beyond 32 bits', () => {
    // Appending zeros in two steps or in one is the same; 2^33 zeros are not to be had as bytes.
    const zeros = (crc: number, length: number, of: number) => combineCrc32(crc, of, length);
    const zeroCrc = (length: number): number =>
      length === 1
        ? crc32(Buffer.alloc(1))
        : zeros(zeroCrc(length / 2), length / 2, zeroCrc(length / 2));
    const big = 2 ** 12;
    expect(zeroCrc(big)).toBe(crc32(Buffer.alloc(big)));
    const start = crc32(Buffer.from('ferry'));
    const gib = zeroCrcOf(GiB);
    const eight = Array.from({ length: 8 }).reduce<number>((crc) => zeros(crc, GiB, gib), start);
    expect(zeros(start, 8 * GiB, zeroCrcOf(8 * GiB))).toBe(eight);
  });
});

/** CRC-32 of a power of two of zeros, by doubling. */
function zeroCrcOf(length: number): number {
  let crc = crc32(Buffer.alloc(1));
  for (let have = 1; have < length; have *= 2) crc = combineCrc32(crc, crc, have);
  return crc;
}

describe('the ledger', () => {
  it('knows the digests of the whole, in whatever order parts arrive', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.infiniteStream(fc.nat()), async ({ size, partSize }, random) => {
        const { bytes, plan, part } = bytesOf(size, partSize);
        const ledger = openLedger(plan, await sha256.start(size), EMPTY_PREFIX);
        const underWay: number[] = [];
        for (let n = 0; n < plan.count; n++) {
          ledger.take(n, part(n));
          underWay.push(n);
          if (underWay.length > 3) settleOne();
          const { parts } = ledger.prefix();
          expect(parts).toBe(Math.min(n + 1, ...underWay));
        }
        while (underWay.length > 0) settleOne();
        expect(ledger.prefix().parts).toBe(plan.count);
        expect(ledger.settledBytes).toBe(size);
        expect(ledger.digest()).toEqual({
          size,
          sha256: createHash('sha256').update(bytes).digest('hex'),
          crc32: crc32(bytes),
        });

        function settleOne() {
          const [index] = random.take(1);
          const [number] = underWay.splice((index ?? 0) % underWay.length, 1);
          if (number !== undefined) ledger.settle(number);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('goes on in another process from any prefix it saved', async () => {
    const { bytes, plan, part } = bytesOf(2000, 300);
    const portable = () => sha256.start(2 ** 50);
    for (let stop = 1; stop <= plan.count; stop++) {
      const first = openLedger(plan, await portable(), EMPTY_PREFIX);
      for (let n = 0; n < plan.count; n++) first.take(n, part(n));
      for (let n = 0; n < stop; n++) first.settle(n);
      const saved = JSON.parse(JSON.stringify(first.prefix()));
      const hash = await sha256.resume(saved.sha256);
      if (!hash) throw new Error('the state was not taken back');
      const second = openLedger(plan, hash, saved);
      for (let n = stop; n < plan.count; n++) second.take(n, part(n));
      expect(second.digest()).toMatchObject({
        sha256: createHash('sha256').update(bytes).digest('hex'),
        crc32: crc32(bytes),
      });
    }
  });

  it('refuses a hash state of another build', async () => {
    expect(await sha256.resume(Buffer.alloc(116, 7).toString('base64'))).toBeUndefined();
    expect(await sha256.resume('')).toBeUndefined();
  });

  it('takes parts in order only, and of the planned length only', async () => {
    const { plan, part } = bytesOf(1000, 300);
    const ledger = openLedger(plan, await sha256.start(1000), EMPTY_PREFIX);
    expect(() => ledger.take(1, part(1))).toThrow(RangeError);
    expect(() => ledger.take(0, part(0).subarray(1))).toThrow(RangeError);
    expect(() => ledger.digest()).toThrow(RangeError);
  });
});
