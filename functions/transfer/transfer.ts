import type { Archive } from '../core/archive.ts';
import type { Checkpoint, ReadBack } from '../core/checkpoint.ts';
import { FerryError, toFerryError } from '../core/errors.ts';
import { EMPTY_PREFIX, type Ledger, type Prefix } from '../core/ledger.ts';
import { planParts } from '../core/parts.ts';
import type { Digest } from '../core/receipt.ts';
import { unlessAborted, within } from '../core/stopping.ts';
import type { Upload } from '../destinations/contract.ts';
import type { Delivery, Transfer, TransferTools } from './attempt.ts';
import { assertAsStaged, openBooks } from './books.ts';
import {
  type History,
  keepCheckpoint,
  remoteFile,
  takeBack as takeBackLeft,
} from './checkpoint-keeper.ts';
import { moveParts } from './move-parts.ts';
import { openOneGo } from './one-go.ts';
import { readBack, wantsReadBack } from './read-back.ts';
import { openWatch } from './watch.ts';

/** Lanes that read ahead while all writes a destination takes are under way; each holds one part. */
const READ_AHEAD = 1;
/** How long a destination that may not answer any more is waited for, in ms. */
const LAST_SAVE_MS = 4_000;
const TAKE_BACK_MS = 15_000;
/** How often, over all invocations, a transfer begins anew because what was sent is lost or damaged. */
const MOST_RESTARTS = 3;

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
  /** `whole`: every part has arrived, and only publishing is left. */
  let standing: 'unopened' | 'open' | 'whole' | 'published' = 'open';
  let upload: Upload | undefined;
  /** What an earlier process noted. */
  let left: Checkpoint | undefined;

  /** Saves while there is time: a server that is slow to write to its disk must not use up the end. */
  const save = (of: Upload, prefix: Prefix, digest?: Digest) =>
    unlessAborted(keeper.save(of, prefix, history, digest), signal);

  /** Moves what is missing, saving now and then. False when it stopped in time. */
  const move = async (into: Upload, ledger: Ledger): Promise<boolean> => {
    const saveNow = async () => {
      // One that had to wait, and was given up, may find another try at work.
      if (into === upload) await keeper.save(into, ledger.prefix(), history);
    };
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
        mayStart: (ms) => reserve.mayStart(ms),
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
    // A single part is shown at once where there is time: until then it is not worth a note.
    const isNoted = digest === undefined || plan.count > 1 || !reserve.mayStart();
    if (isNoted) await save(into, ledger.prefix(), digest);
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
      const saved = await keeper.open(oneGo ? begunOnceMore(history) : history);
      left = saved;
      standing = 'open';
      if (saved) history = { startedAt: saved.startedAt, restarts: saved.restarts };
      if (saved?.readBack && saved.digest) return verify(saved.digest, saved.readBack);
      // What has arrived whole is not sent again.
      if (oneGo && !saved?.digest) {
        oneGo.start(history.restarts);
        history = begunOnceMore(history);
      }
      if (saved) standing = 'unopened';
      if (saved?.upload === undefined) {
        upload = await destination.begin(file, plan, signal);
        // From here on somebody can go on with it, should this process end.
        if (plan.count > 1) await save(upload, EMPTY_PREFIX);
      } else {
        upload = await destination.resume(file, plan, saved.upload, signal);
      }
      standing = 'open';
      const known = upload.held === plan.count ? saved?.digest : undefined;
      const digest = known ?? (await complete(upload, saved?.prefix));
      if (!digest) return undefined;
      standing = 'whole';
      if (!reserve.mayStart()) return undefined;
      await runs.saveShown(lease, archive);
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
      if (!oneGo) history = begunOnceMore(history);
      await takeBack(() => Promise.resolve());
      await keeper.saveBeginning(history);
    },

    async discard() {
      // Of what an earlier process left only its checkpoint knows, and what is published is no leftover.
      if (standing === 'unopened' || standing === 'published') return;
      const unseen = upload ? undefined : left;
      const forget = () => (unseen ? takeBackLeft(tools, unseen) : keeper.remove());
      await takeBack(() => within(TAKE_BACK_MS, forget(), clock));
    },

    async outOfTime() {
      if (!oneGo || standing === 'whole' || standing === 'published') return;
      const hopeless = oneGo.outOfTime();
      // Otherwise the checkpoint stays, as a note of how often it was tried.
      const then = () => (hopeless ? keeper.remove() : Promise.resolve());
      await takeBack(then, LAST_SAVE_MS);
      if (hopeless) throw hopeless;
    },
  };
}

function begunOnceMore(history: History): History {
  return { ...history, restarts: history.restarts + 1 };
}
