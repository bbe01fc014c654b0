import type { Archive } from '../core/archive.ts';
import type { Clock } from '../core/clock.ts';
import type { Ledger } from '../core/ledger.ts';
import { type PartPlan, type PartRange, partRange } from '../core/parts.ts';
import type { Upload } from '../destinations/contract.ts';
import { openGate } from './gate.ts';
import type { Source } from './ports.ts';
import { openSpans } from './spans.ts';

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
  /** Asked before parts that take so many ms; false ends the move after the parts under way. */
  mayStart(ms: number): boolean;
  /** Called when a part has arrived; `ms` from the start of its reading. A throw ends the move. */
  onPart(ms: number): void;
}

/**
 * Carries every part from staging to the destination: reads it into a lane's buffer, accounts for it
 * and hands it to the driver, in order of part numbers, several at once. A lane goes on as soon as its
 * buffer is free, which a driver may say before the part is acknowledged.
 *
 * When it returns or throws, no buffer is in use any more. The first failure stops all lanes.
 */
export async function moveParts(move: Move): Promise<'all moved' | 'stopped in time'> {
  const { plan, ledger } = move;
  const stopping = new AbortController();
  const signal = AbortSignal.any([move.signal, stopping.signal]);
  const gate = openGate(move.from, move.parallel);
  const spans = openSpans(move);
  const unacknowledged = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const fail = (error: unknown) => {
    failure ??= { error };
    stopping.abort(failure.error);
    gate.close(failure.error);
  };

  /** Resolves when the bytes are not needed any more. */
  const hand = (range: PartRange, bytes: Buffer, startedAt: number) => {
    const { number } = range;
    ledger.take(number, bytes);
    const following = spans.following(number);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const span = { following, release };
    const arrival = move.upload.writePart({ ...range, bytes }, signal, span).then(() => {
      ledger.settle(number);
      move.onPart(move.clock.now() - startedAt);
    });
    const acknowledged = arrival.catch(fail).finally(() => unacknowledged.delete(acknowledged));
    unacknowledged.add(acknowledged);
    return Promise.race([released, arrival]);
  };

  const lane = async (buffer: Buffer) => {
    for (let number = spans.next(); number !== undefined && !failure; number = spans.next()) {
      const startedAt = move.clock.now();
      const range = partRange(plan, number);
      const bytes = await move.source.read(move.archive, range, buffer, signal);
      await gate.pass(number, () => hand(range, bytes, startedAt));
      spans.passed();
    }
  };

  await Promise.all(move.buffers.map((buffer) => lane(buffer).catch(fail)));
  await Promise.all(unacknowledged);
  if (failure) throw failure.error;
  return spans.stopped ? 'stopped in time' : 'all moved';
}
