import type { Archive } from '../core/archive.ts';
import type { ReadBack } from '../core/checkpoint.ts';
import type { Clock } from '../core/clock.ts';
import { FerryError, toFerryError } from '../core/errors.ts';
import { EMPTY_PREFIX, type Ledger, type Prefix } from '../core/ledger.ts';
import { planParts } from '../core/parts.ts';
import type { Digest, Proof, Verification } from '../core/receipt.ts';
import type { Hashing } from '../core/running-hash.ts';
import { unlessAborted, within } from '../core/stopping.ts';
import type { Upload } from '../destinations/contract.ts';
import { assertAsStaged, openBooks } from './books.ts';
import type { Buffers } from './buffers.ts';
import { type History, type KeeperTools, keepCheckpoint, remoteFile } from './checkpoint-keeper.ts';
import { moveParts } from './move-parts.ts';
import { openOneGo } from './one-go.ts';
import type { Log, Source } from './ports.ts';
import { readBack, wantsReadBack } from './read-back.ts';
import type { Reserve } from './reserve.ts';
import { openWatch } from './watch.ts';

/** Lanes that read ahead while all writes a destination takes are under way; each holds one part. */
const READ_AHEAD = 1;
/** How long a destination that may not answer any more is waited for, in ms. */
const LAST_SAVE_MS = 4_000;
const TAKE_BACK_MS = 15_000;
/** How often, over all invocations, a transfer begins anew because what was sent is lost or damaged. */
const MOST_RESTARTS = 3;

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

/** @throws FerryError `too-large` when the destination cannot take the archive at all */
export async function openTransfer(tools: TransferTools, archive: Archive): Promise<Transfer> {
  const { clock, destination, hashing, lease, log, reserve, runs, signal, source } = tools;
  const { parallel, part, resume } = await destination.capabilities(signal);
  const plan = planParts(archive.size, part, tools.buffers.budget);
  const lanes = Math.max(1, Math.min(plan.count, parallel + READ_AHEAD));
  const buffers = tools.buffers.lend(lanes, plan.partSize);
  const file = remoteFile(lease, archive);
  const keeper = keepCheckpoint(tools, archive, plan);
  const oneGo =
    resume === 'none' && plan.count > 1 ? openOneGo(archive.size, clock, reserve) : undefined;
  let history: History = { startedAt: clock.now(), restarts: 0 };
  let movedBytes = 0;
  let standing: 'unopened' | 'open' | 'published' = 'open';
  let upload: Upload | undefined;

  /** Saves while there is time: a server that is slow to write to its disk must not use up the end. */
  const save = (of: Upload, prefix: Prefix, digest?: Digest) =>
    unlessAborted(keeper.save(of, prefix, history, digest), signal);

  /** Moves what is missing, saving now and then. False when it stopped in time. */
  const move = async (into: Upload, ledger: Ledger): Promise<boolean> => {
    const saveNow = () => keeper.save(into, ledger.prefix(), history);
    const lookAndSave = async () => {
      await tools.assertActive();
      await saveNow();
    };
    const tell = () => {
      const { settledBytes: bytes } = ledger;
      log.debug('progress', { archive: archive.key, bytes, total: plan.size });
    };
    const watch = openWatch(clock, tell, lookAndSave);
    let counted = ledger.settledBytes;
    try {
      const result = await moveParts({
        archive,
        plan,
        from: ledger.prefix().parts,
        parallel,
        buffers,
        source,
        upload: into,
        ledger,
        clock,
        signal: AbortSignal.any([signal, watch.signal]),
        mayStart: () => reserve.mayStart(),
        onPart(ms) {
          reserve.sawPart(ms);
          const arrived = ledger.settledBytes - counted;
          movedBytes += arrived;
          counted = ledger.settledBytes;
          watch.look(arrived);
          oneGo?.moved(arrived);
        },
      });
      await unlessAborted(watch.settled(), signal);
      watch.signal.throwIfAborted();
      return result === 'all moved';
    } catch (error) {
      if (toFerryError(error).code !== 'lease-lost') {
        // Where the connection is gone this fails too, or hangs; then the last checkpoint holds.
        const lastSave = watch.settled().then(saveNow);
        await within(LAST_SAVE_MS, lastSave, clock).catch(() => undefined);
      }
      throw error;
    }
  };

  /** Everything up to the point where only publishing is left. */
  const complete = async (into: Upload, prefix = EMPTY_PREFIX): Promise<Digest | undefined> => {
    const [buffer = Buffer.alloc(0)] = buffers;
    const ledger = await openBooks(
      archive,
      plan,
      into.held,
      prefix,
      source,
      hashing,
      buffer,
      signal,
    );
    const digest = (await move(into, ledger)) ? ledger.digest() : undefined;
    if (digest) assertAsStaged(archive, digest);
    await save(into, ledger.prefix(), digest);
    return digest;
  };

  /** Reads back what is published. Undefined when it stopped in time. */
  const verify = async (digest: Digest, from: ReadBack): Promise<Delivery | undefined> => {
    const keep = async (state: ReadBack) => {
      await tools.assertActive();
      await keeper.saveReadBack(state, history, digest);
    };
    const onBytes = (bytes: number) => {
      movedBytes += bytes;
    };
    standing = 'published';
    await keep(from);
    const proof = await readBack({ ...tools, save: keep, onBytes }, file.path, digest, from);
    return proof && { digest, proof, durationMs: Math.max(0, clock.now() - history.startedAt) };
  };

  /** Where the destination cannot be reached, what was sent stays and so does the checkpoint. */
  const takeBack = async (then: () => Promise<void>, patienceMs = TAKE_BACK_MS) => {
    try {
      if (upload) await within(patienceMs, upload.abort(), clock);
      await then();
    } catch (error) {
      const { code } = toFerryError(error);
      log.warn('could not take back an unfinished upload', { archive: archive.key, code });
    }
  };

  return {
    get movedBytes() {
      return movedBytes;
    },

    async attempt() {
      standing = 'unopened';
      const saved = await keeper.load();
      standing = 'open';
      if (saved) history = { startedAt: saved.startedAt, restarts: saved.restarts };
      if (saved?.readBack && saved.digest) return verify(saved.digest, saved.readBack);
      if (oneGo) {
        oneGo.start(history.restarts);
        history = { ...history, restarts: history.restarts + 1 };
      }
      if (saved) standing = 'unopened';
      if (saved?.upload === undefined) {
        const begunBefore = saved && new Date(history.startedAt);
        // Noted before the destination hears of it: a process that ends in between leaves no secret.
        if (!saved && plan.count > 1) await keeper.saveBeginning(history);
        upload = await destination.begin({ ...file, begunBefore }, plan, signal);
        // From here on somebody knows of it, should this process end: nothing is left lying about.
        if (plan.count > 1) await save(upload, EMPTY_PREFIX);
      } else {
        upload = await destination.resume(file, plan, saved.upload, signal);
      }
      standing = 'open';
      const known = upload.held === plan.count ? saved?.digest : undefined;
      const digest = known ?? (await complete(upload, saved?.prefix));
      if (!digest || !reserve.mayStart()) return undefined;
      await runs.assertHeld(lease);
      const proof = await upload.finish(digest, signal);
      if (wantsReadBack(tools.verify, proof)) return verify(digest, { proof, bytes: 0 });
      return { digest, proof, durationMs: Math.max(0, clock.now() - history.startedAt) };
    },

    async restart(reason) {
      // Where nothing can be continued, every attempt begins anew and is counted there.
      if (!oneGo && history.restarts >= MOST_RESTARTS) {
        await takeBack(() => keeper.remove());
        throw new FerryError(
          reason.code,
          `${reason.message} The transfer was begun anew ${MOST_RESTARTS} times in vain.`,
          { retry: 'never', scope: 'archive', cause: reason },
        );
      }
      if (!oneGo) history = { ...history, restarts: history.restarts + 1 };
      await takeBack(() => Promise.resolve());
      await keeper.saveBeginning(history);
    },

    async discard() {
      // Of what an earlier process left only its checkpoint knows, and what is published is no leftover.
      if (standing === 'open') await takeBack(() => keeper.remove());
    },

    async outOfTime() {
      if (!oneGo || standing === 'published') return;
      const hopeless = oneGo.outOfTime();
      // Otherwise the checkpoint stays, as a note of how often it was tried.
      const then = () => (hopeless ? keeper.remove() : Promise.resolve());
      await takeBack(then, LAST_SAVE_MS);
      if (hopeless) throw hopeless;
    },
  };
}
