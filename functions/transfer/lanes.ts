import type { StagedArchive } from '../core/archive.ts';
import { planParts } from '../core/parts.ts';
import type { TransferTools } from './attempt.ts';
import type { Buffers } from './buffers.ts';

/** Small archives on their way beside each other. */
export interface Lanes {
  /** Bytes of the archives that are under way. */
  readonly bytes: number;
  /**
   * Begins work on an archive of one part as soon as a buffer is free, and resolves then. False, once
   * nothing is under way, where the archive takes more than one part or nobody can tell: it goes alone.
   * @throws what work threw first
   */
  begin(staged: StagedArchive, work: (buffers: Buffers) => Promise<void>): Promise<boolean>;
  /** Resolves when nothing is under way. @throws what work threw first */
  drained(): Promise<void>;
}

/** As many small archives go beside each other, and fewer where memory allows no more. */
const AT_ONCE = 8;

/** Their buffers are those of large archives, which are not under way meanwhile. */
export function openLanes({ buffers, destination, signal }: TransferTools): Lanes {
  const underWay = new Map<Promise<void>, number>();
  /** Lent from the pool, of one size, for as long as nobody else may use them. */
  let lent: { readonly size: number; readonly free: Buffer[] } | undefined;
  let failure: { readonly error: unknown } | undefined;

  /** Undefined where it takes several parts, or the destination cannot be asked, as will be told then. */
  const partSizeOf = async ({ size }: StagedArchive): Promise<number | undefined> => {
    try {
      const { part } = await destination.capabilities(signal);
      const { count, partSize } = planParts(size, part, buffers.budget);
      return count <= 1 ? partSize : undefined;
    } catch {
      return undefined;
    }
  };
  const drained = async () => {
    await Promise.all(underWay.keys());
    lent = undefined;
    if (failure) throw failure.error;
  };

  return {
    get bytes() {
      return [...underWay.values()].reduce((sum, bytes) => sum + bytes, 0);
    },
    drained,
    async begin(staged, work) {
      const partSize = await partSizeOf(staged);
      // A server may turn out to take parts of another size than it said.
      if (partSize !== lent?.size) await drained();
      if (partSize === undefined) return false;
      lent ??= { size: partSize, free: [...buffers.lend(AT_ONCE, partSize)] };
      const { free } = lent;
      let buffer = free.pop();
      while (buffer === undefined) {
        await Promise.race(underWay.keys());
        buffer = free.pop();
      }
      if (failure) throw failure.error;
      const mine = buffer;
      const running = work({ budget: buffers.budget, lend: () => [mine] })
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          free.push(mine);
          underWay.delete(running);
        });
      underWay.set(running, staged.size);
      return true;
    },
  };
}
