import { setTimeout as wait } from 'node:timers/promises';
import { type Archive, remotePath, transferId } from '../core/archive.ts';
import { RECONNECT, waitBefore } from '../core/backoff.ts';
import type { Checkpoint } from '../core/checkpoint.ts';
import { FerryError, toFerryError } from '../core/errors.ts';
import type { Lease } from '../core/lease.ts';
import { EMPTY_PREFIX, type Ledger } from '../core/ledger.ts';
import { type PartPlan, planParts } from '../core/parts.ts';
import type { Digest, Proof } from '../core/receipt.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { Destination, RemoteFile, Upload } from '../destinations/contract.ts';
import { openBooks } from './books.ts';
import type { Buffers } from './buffers.ts';
import { moveParts } from './move-parts.ts';
import type { Clock, Log, Runs, Source } from './ports.ts';
import type { Reserve } from './reserve.ts';

/** Lanes that read ahead while all writes a destination takes are under way. */
const READ_AHEAD = 2;
/** How often a transfer is saved, and how often its progress is told, in ms. */
const SAVE_EVERY = 10_000;
const TELL_EVERY = 1_000;
/** Broken connections in a row, without a byte moved between them, before the queue takes over. */
const MOST_FAILURES = 5;
/** How often one invocation begins a transfer anew because what was sent is lost or damaged. */
const MOST_RESTARTS = 2;

export interface TransferTools {
  readonly lease: Lease;
  readonly destination: Destination;
  readonly source: Source;
  readonly runs: Runs;
  readonly hashing: Hashing;
  readonly buffers: Buffers;
  readonly reserve: Reserve;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Delivery {
  readonly digest: Digest;
  readonly proof: Proof;
  /** From the first byte read to the proof, over all invocations, in ms. */
  readonly durationMs: number;
}

/** How a transfer came out of this invocation, and how many bytes it moved here. */
export interface Transferred {
  readonly delivery: Delivery | undefined;
  readonly movedBytes: number;
}

/**
 * Takes one archive to one destination, from where an earlier process left it or from the start.
 * Ends with a delivery, or without one when time is nearly over; then the next invocation goes on.
 *
 * Order of effects, each safe to repeat after a crash: parts → checkpoint → … → checkpoint with the
 * digest → lease looked at once more → publish and prove. The caller writes the receipt after that,
 * then removes the checkpoint.
 * @throws FerryError as the driver or the source gave it, once trying again here is of no use
 */
export async function transferArchive(
  tools: TransferTools,
  archive: Archive,
): Promise<Transferred> {
  const transfer = openTransfer(tools, archive);
  let failures = 0;
  let restarts = 0;
  let movedBefore = 0;
  for (;;) {
    try {
      const delivery = await transfer.attempt();
      return { delivery, movedBytes: transfer.movedBytes() };
    } catch (thrown) {
      const error = toFerryError(thrown);
      if (error.code === 'lease-lost') throw error;
      if (tools.signal.aborted) return { delivery: undefined, movedBytes: transfer.movedBytes() };
      if (error.retry === 'never') await transfer.discard();
      if (error.retry !== 'now') throw error;
      if (error.code === 'upload-lost' || error.code === 'corrupted') {
        restarts += 1;
        await transfer.discard();
        if (restarts > MOST_RESTARTS) throw error;
      }
      failures = transfer.movedBytes() > movedBefore ? 1 : failures + 1;
      movedBefore = transfer.movedBytes();
      if (failures > MOST_FAILURES) throw error;
      const delay = waitBefore(RECONNECT, failures, Math.random(), error.retryAfterMs);
      const { code, message } = error;
      tools.log.warn('trying again', {
        archive: archive.key,
        code,
        reason: message,
        delayMs: delay,
      });
      await wait(delay, undefined, { signal: tools.signal }).catch(() => {
        throw error;
      });
    }
  }
}

function openTransfer(tools: TransferTools, archive: Archive) {
  const { clock, destination, lease, log, reserve, runs, signal, source } = tools;
  const { capabilities } = destination;
  const plan = planParts(archive.size, capabilities.part, tools.buffers.budget);
  const file: RemoteFile = {
    path: remotePath(archive),
    size: archive.size,
    transferId: transferId(lease.userId, lease.destination, archive),
  };
  const buffers = tools.buffers.lend(
    Math.max(1, Math.min(plan.count, capabilities.parallel + READ_AHEAD)),
    plan.partSize,
  );
  let startedAt = clock.now();
  let upload: Upload | undefined;
  let movedBytes = 0;

  /** The checkpoint of this very content; one of an older content is taken back at the destination. */
  const load = async (): Promise<Checkpoint | undefined> => {
    const saved = await runs.checkpoint(lease, archive);
    if (!saved) return undefined;
    if (saved.archive.etag === archive.etag && saved.archive.size === archive.size) {
      return saved.partSize === plan.partSize ? saved : undefined;
    }
    await takeBack(saved);
    return undefined;
  };

  const takeBack = async (saved: Checkpoint) => {
    const old: PartPlan = planOf(saved);
    const id = transferId(lease.userId, lease.destination, saved.archive);
    const left = await destination
      .resume(
        { path: remotePath(saved.archive), size: old.size, transferId: id },
        old,
        saved.upload,
        signal,
      )
      .catch((error: unknown) => {
        if (toFerryError(error).code === 'upload-lost') return undefined;
        throw error;
      });
    await left?.abort();
    await runs.removeCheckpoint(lease, saved.archive);
  };

  /** Saves what has arrived, so that another process can go on from there. */
  const save = async (ledger: Ledger, digest?: Digest) => {
    const prefix = ledger.prefix();
    const state = await upload?.checkpoint();
    if (state === undefined) return;
    const { partSize } = plan;
    await runs.saveCheckpoint(lease, {
      v: 1,
      archive,
      partSize,
      prefix,
      digest,
      upload: state,
      startedAt,
    });
  };

  const move = async (into: Upload, ledger: Ledger): Promise<boolean> => {
    const stopping = new AbortController();
    let saving: Promise<void> = Promise.resolve();
    let savedAt = clock.now();
    let toldAt = 0;
    const from = ledger.prefix().parts;
    const before = ledger.settledBytes;
    const movedEarlier = movedBytes;
    try {
      const result = await moveParts({
        archive,
        plan,
        from,
        parallel: capabilities.parallel,
        buffers,
        source,
        upload: into,
        ledger,
        signal: AbortSignal.any([signal, stopping.signal]),
        mayStart: () => reserve.mayStart(),
        onPart(ms) {
          reserve.sawPart(ms);
          movedBytes = movedEarlier + ledger.settledBytes - before;
          const now = clock.now();
          if (now - toldAt >= TELL_EVERY) {
            toldAt = now;
            log.debug('progress', {
              archive: archive.key,
              bytes: ledger.settledBytes,
              total: plan.size,
            });
          }
          if (now - savedAt < SAVE_EVERY) return;
          savedAt = now;
          saving = saving
            .then(() => save(ledger))
            .catch((error) => stopping.abort(toFerryError(error)));
        },
      });
      await saving;
      if (stopping.signal.aborted) throw stopping.signal.reason;
      return result === 'all moved';
    } catch (error) {
      await saving;
      // The connection may be gone; then the last checkpoint holds.
      if (toFerryError(error).code !== 'lease-lost') await save(ledger).catch(() => undefined);
      throw error;
    }
  };

  return {
    movedBytes: () => movedBytes,

    /** One try, over one connection. Undefined when it stopped in time. */
    async attempt(): Promise<Delivery | undefined> {
      const saved = await load();
      if (saved) startedAt = saved.startedAt;
      upload = saved
        ? await destination.resume(file, plan, saved.upload, signal)
        : await destination.begin(file, plan, signal);
      const { held } = upload;
      let digest = held === plan.count ? saved?.digest : undefined;
      if (!digest) {
        const prefix = saved?.prefix ?? EMPTY_PREFIX;
        const [buffer = Buffer.alloc(0)] = buffers;
        const { hashing } = tools;
        const ledger = await openBooks(
          archive,
          plan,
          held,
          prefix,
          source,
          hashing,
          buffer,
          signal,
        );
        const allMoved = await move(upload, ledger);
        digest = allMoved ? ledger.digest() : undefined;
        if (digest) assertAsStaged(archive, digest);
        await save(ledger, digest);
      }
      if (!digest || !reserve.mayStart()) return undefined;
      await runs.assertHeld(lease);
      const proof = await upload.finish(digest, signal);
      return { digest, proof, durationMs: clock.now() - startedAt };
    },

    /** Takes back what was sent; where that is not possible now, the checkpoint stays to try again. */
    async discard(): Promise<void> {
      try {
        await upload?.abort();
        await runs.removeCheckpoint(lease, archive);
      } catch (error) {
        const { code } = toFerryError(error);
        log.warn('could not take back an unfinished upload', { archive: archive.key, code });
      }
    },
  };
}

function planOf(saved: Checkpoint): PartPlan {
  const { size } = saved.archive;
  return { size, partSize: saved.partSize, count: Math.ceil(size / saved.partSize) };
}

/** What was read must be what the staging bucket says it stored. */
function assertAsStaged(archive: Archive, digest: Digest): void {
  if (!archive.checksum || archive.checksum.value === digest.crc32) return;
  throw new FerryError(
    'corrupted',
    'What was read from staging does not match the checksum stored with the archive. ' +
      'If this stays, the staged archive is damaged: stage it again.',
    { retry: 'now', scope: 'archive' },
  );
}
