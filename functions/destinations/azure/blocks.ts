import * as z from 'zod';
import { type PartPlan, partRange } from '../../core/parts.ts';
import type { RemoteFile } from '../contract.ts';

/** Digits for a part's number: Azure takes 50,000 blocks, and all ids of a file have one length. */
const NUMBER_DIGITS = 6;
/** Digits for the part size in base 36, of which 4,000 MiB needs seven. */
const SIZE_DIGITS = 7;

/** What `getBlockList` tells of a block that is not committed. */
export const uncommitted = z.object({ name: z.string(), size: z.number() });
type Uncommitted = z.output<typeof uncommitted>;

/**
 * The id of the block that holds a part: the same in every process, so that a block that is there tells
 * what it holds. The part size is in it, since under another one the same number means other bytes.
 */
export function blockId(
  { transferId }: RemoteFile,
  { partSize }: PartPlan,
  number: number,
): string {
  const size = partSize.toString(36).padStart(SIZE_DIGITS, '0');
  const text = `${transferId}-${size}-${String(number).padStart(NUMBER_DIGITS, '0')}`;
  return Buffer.from(text).toString('base64');
}

/** The ids of all parts, in order. */
export function blockIds(file: RemoteFile, plan: PartPlan): string[] {
  return Array.from({ length: plan.count }, (_, number) => blockId(file, plan, number));
}

/** How many leading parts Azure holds whole. */
export function countHeld(
  file: RemoteFile,
  plan: PartPlan,
  blocks: readonly Uncommitted[],
): number {
  const sizes = new Map(blocks.map(({ name, size }) => [name, size]));
  let held = 0;
  while (
    held < plan.count &&
    sizes.get(blockId(file, plan, held)) === partRange(plan, held).length
  ) {
    held += 1;
  }
  return held;
}
