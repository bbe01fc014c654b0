import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { GiB, MiB, type PartLimits, partRange, planParts } from '../../functions/core/parts.ts';

const limits = fc
  .record({
    min: fc.integer({ min: 1, max: 8 * MiB }),
    preferred: fc.integer({ min: 1, max: 64 * MiB }),
    max: fc.integer({ min: 8 * MiB, max: 5 * GiB }),
    multiple: fc.constantFrom(1, 512, 4 * MiB),
    most: fc.integer({ min: 1, max: 50_000 }),
  })
  .filter(({ max, min, multiple }) => max >= min && max >= multiple);

describe('a part plan', () => {
  it('covers the archive exactly, within every limit, or refuses it', () => {
    fc.assert(
      fc.property(
        limits,
        fc.integer({ min: 0, max: 2 ** 45 }),
        fc.integer({ min: 16 * MiB, max: 8 * GiB }),
        (given: PartLimits, size, largest) => {
          const plan = (() => {
            try {
              return planParts(size, given, largest);
            } catch (error) {
              expect(error).toBeInstanceOf(FerryError);
              expect(error).toMatchObject({ code: 'too-large', retry: 'never', scope: 'archive' });
              return undefined;
            }
          })();
          if (!plan) return;
          expect(plan.count).toBeLessThanOrEqual(given.most);
          expect(plan.partSize).toBeLessThanOrEqual(Math.min(given.max, largest));
          expect(plan.partSize).toBeGreaterThanOrEqual(given.min);
          expect(plan.partSize % given.multiple).toBe(0);
          expect((plan.count - 1) * plan.partSize).toBeLessThan(Math.max(size, 1));
          const last = partRange(plan, plan.count - 1);
          if (size > 0) expect(last.offset + last.length).toBe(size);
        },
      ),
    );
  });

  it('refuses only what no part size would fit', () => {
    const s3 = { min: 5 * MiB, max: 5 * GiB, preferred: 16 * MiB, multiple: 1, most: 10_000 };
    expect(planParts(10_000 * 512 * MiB, s3, 512 * MiB).count).toBe(10_000);
    expect(() => planParts(10_000 * 512 * MiB + 1, s3, 512 * MiB)).toThrow(/Split the archive/);
  });

  it('keeps the preferred size as long as the part count allows', () => {
    const s3 = { min: 5 * MiB, max: 5 * GiB, preferred: 16 * MiB, multiple: 1, most: 10_000 };
    expect(planParts(100 * GiB, s3, 512 * MiB).partSize).toBe(16 * MiB);
    expect(planParts(200 * GiB, s3, 512 * MiB).partSize).toBe(21 * MiB);
    expect(planParts(1, s3, 512 * MiB)).toEqual({ size: 1, partSize: 16 * MiB, count: 1 });
    expect(planParts(0, s3, 512 * MiB).count).toBe(0);
  });
});
