import type { Archive } from '../core/archive.ts';
import type { Clock } from '../core/clock.ts';
import type { Ledger } from '../core/ledger.ts';
import { type PartPlan, partRange } from '../core/parts.ts';
import type { Upload } from '../destinations/contract.ts';
import { openGate } from './gate.ts';
import type { Source } from './ports.ts';

export interface Move {
  readonly archive: Archive;
  readonly plan: PartPlan;
  /** The first part that is still to be sent. */
  readonly from: number;
  /** How many parts may be written at once. */
  readonly parallel: number;
  /** One lane for each: reads ahead while the others write. */
  readonly buffers: readonly Buffer[];
  readonly source: Source;
  readonly upload: Upload;
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
  /** Asked before each part; false ends the move after the parts under way. */
  mayStart(): boolean;
  /** Called when a part has arrived; `ms` from the start of its reading. A throw ends the move. */
  onPart(ms: number): void;
}

/**
 * Carries every part from staging to the destination: reads it into a lane's buffer, accounts for it
 * and hands it to the driver, in order of part numbers, several at once.
 *
 * When it returns or throws, no buffer is in use any more. The first failure stops all lanes.
 */
export async function moveParts(move: Move): Promise<'all moved' | 'stopped in time'> {
  const { plan, ledger } = move;
  const stopping = new AbortController();
  const signal = AbortSignal.any([move.signal, stopping.signal]);
  const gate = openGate(move.from, move.parallel);
  let next = move.from;
  let stopped = false;
  let failure: { readonly error: unknown } | undefined;

  const carry = async (number: number, buffer: Buffer) => {
    const startedAt = move.clock.now();
    const range = partRange(plan, number);
    const bytes = await move.source.read(move.archive, range, buffer, signal);
    await gate.pass(number, async () => {
      ledger.take(number, bytes);
      await move.upload.writePart({ ...range, bytes }, signal);
    });
    ledger.settle(number);
    move.onPart(move.clock.now() - startedAt);
  };

  const lane = async (buffer: Buffer) => {
    while (next < plan.count && !stopped && !failure) {
      if (!move.mayStart()) stopped = true;
      else await carry(next++, buffer);
    }
  };

  await Promise.all(
    move.buffers.map((buffer) =>
      lane(buffer).catch((error: unknown) => {
        failure ??= { error };
        stopping.abort(failure.error);
        gate.close(failure.error);
      }),
    ),
  );
  if (failure) throw failure.error;
  return stopped ? 'stopped in time' : 'all moved';
}
