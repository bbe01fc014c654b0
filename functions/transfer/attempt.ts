import type { Clock } from '../core/clock.ts';
import type { FerryError } from '../core/errors.ts';
import type { Digest, Proof, Verification } from '../core/receipt.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { Buffers } from './buffers.ts';
import type { KeeperTools } from './checkpoint-keeper.ts';
import type { Log, Source } from './ports.ts';
import type { Reserve } from './reserve.ts';

export interface TransferTools extends KeeperTools {
  readonly source: Source;
  readonly hashing: Hashing;
  readonly buffers: Buffers;
  readonly reserve: Reserve;
  readonly verify: Verification;
  /** @throws FerryError `switched-off` when nobody wants the archive there any more */
  assertActive(): Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A finished transfer. */
export interface Delivery {
  readonly digest: Digest;
  readonly proof: Proof;
  /** From the first byte read to the proof, over all invocations, in ms; by several clocks, so never below 0. */
  readonly durationMs: number;
}

/** One archive on its way to one destination. */
export interface Transfer {
  /** Bytes that arrived or were read back through this object, over all attempts. */
  readonly movedBytes: number;
  /**
   * One try: goes on from the checkpoint or begins. Undefined when it stopped in time, with all that
   * had arrived saved.
   */
  attempt(): Promise<Delivery | undefined>;
  /**
   * Takes back what was sent, so that the next attempt begins anew.
   * @throws FerryError as `reason`, but permanent, when that has happened too often already
   */
  restart(reason: FerryError): Promise<void>;
  /** Takes back what was sent; where that is not possible now, the checkpoint stays to try again. */
  discard(): Promise<void>;
  /**
   * Ends what ran out of time: where nothing of it can be continued, it is taken back.
   * @throws FerryError `too-large` where it cannot get through in any invocation
   */
  outOfTime(): Promise<void>;
}
