import type { Archive, Selection, StagedArchive } from '../core/archive.ts';
import type { Checkpoint } from '../core/checkpoint.ts';
import type { Job, JobName } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Lease, LeaseAnswer } from '../core/lease.ts';
import type { Policy } from '../core/policy.ts';
import type { Parsed } from '../core/problem.ts';
import type { Receipt, Verification } from '../core/receipt.ts';
import type { Destination } from '../destinations/contract.ts';

/** The staging bucket as a job sees it. */
export interface Source {
  /** Every archive staged for a user, in key order. */
  list(userId: string, signal: AbortSignal): AsyncIterable<StagedArchive>;
  /**
   * Pins an archive to the content it has now.
   * @throws FerryError `source-missing` or `source-changed` when it is no longer what was listed
   */
  pin(archive: StagedArchive, signal: AbortSignal): Promise<Archive>;
  /**
   * Reads exactly `length` bytes at `offset` of the pinned content into the start of `into` and
   * resolves with the view on them. Retries a broken body by itself.
   * @throws FerryError `source-changed` when the archive was replaced
   */
  read(
    archive: Archive,
    range: { readonly offset: number; readonly length: number },
    into: Buffer,
    signal: AbortSignal,
  ): Promise<Buffer>;
}

/** The runs table as a job sees it. Every write holds only while the lease's fence is the newest. */
export interface Runs {
  job(job: JobName): Promise<JobRecord | undefined>;
  /** Takes the lease on the job's destination, or tells who has it. `until` in epoch ms. */
  acquire(job: Job, owner: string, until: number): Promise<LeaseAnswer>;
  /** @throws FerryError `lease-lost` when another worker has taken over */
  assertHeld(lease: Lease): Promise<void>;
  /** Gives the lease back; one that was lost meanwhile is left alone. */
  release(lease: Lease): Promise<void>;
  /** Written under `record.fence`. @throws FerryError `lease-lost` when a later holder has written */
  saveJob(job: Job, record: JobRecord): Promise<void>;
  /** Every transfer to the lease's destination that has begun and not ended. */
  checkpoints(lease: Lease): AsyncIterable<Checkpoint>;
  /**
   * Notes that a transfer begins, unless something is noted of this archive already: gives that then.
   * @throws FerryError `lease-lost` when a later holder has written
   */
  beginCheckpoint(lease: Lease, beginning: Checkpoint): Promise<Checkpoint | undefined>;
  /** @throws FerryError `lease-lost` when a later holder has written */
  saveCheckpoint(lease: Lease, checkpoint: Checkpoint): Promise<void>;
  removeCheckpoint(lease: Lease, archive: StagedArchive): Promise<void>;
  /** The job whose receipt says that this destination has this very content now; undefined without one. */
  deliveredBy(lease: Lease, archive: StagedArchive): Promise<string | undefined>;
  /**
   * Notes that this content is about to take the archive's place at the destination: until it has a
   * receipt of this lease or a later one, nothing counts as delivered there.
   */
  saveShown(lease: Lease, archive: StagedArchive): Promise<void>;
  saveReceipt(lease: Lease, receipt: Receipt): Promise<void>;
  /** Bytes delivered for a user within a month, such as `2026-11`. */
  deliveredIn(userId: string, month: string): Promise<number>;
  countDelivered(userId: string, month: string, bytes: number): Promise<void>;
  /** How many other destinations of the user somebody delivers to now. */
  othersAtWork(lease: Lease): Promise<number>;
  /** Whether somebody cancelled this very job; asked now and then while it is under way. */
  isCancelled(job: JobName): Promise<boolean>;
}

/** Under which lease a worker has a job, and whether one had it before and did not end it. */
export interface Standing {
  readonly lease: Lease;
  readonly goesOn: boolean;
}

/** What a user's row said about the job when it began. */
export interface JobSettings {
  readonly backUp: Selection;
  readonly type: string;
  readonly verify: Verification;
  /** What the operator allows. */
  readonly policy: Policy;
  open(): Promise<Destination>;
}

export interface SettingsReader {
  /**
   * What the job began with where it `goesOn`, else what the row has now, which is then kept for it.
   * What the operator allows counts as it is now. Undefined when the user or the destination was
   * removed or switched off.
   * @throws FerryError `settings-unchecked` while nobody has looked at what stands in the row
   */
  read(job: Job, run: Standing): Promise<Parsed<JobSettings> | undefined>;
  /** Whether the row still asks for this job; asked now and then while it is under way. */
  isActive(job: Job): Promise<boolean>;
}

/** Where job logic writes what happened. Fields hold no secret. */
export interface Log {
  debug(message: string, fields: Record<string, unknown>): void;
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

export type { RunReport } from '../core/job-ending.ts';

/** Counters of what happened, for alarms and the dashboard. */
export interface TransferMetrics {
  runEnded(outcome: JobResult['outcome']): void;
  archiveDelivered(type: string, bytes: number, ms: number): void;
}

/**
 * What to do with the message.
 * - `succeeded`, `failed`, `skipped`: the job has ended, the message is done with.
 * - `duplicate`: another message carries or has carried this job, the message is done with.
 * - `continued`: the next hop is on the queue, the message is done with.
 * - `retrying`: give it back to the queue for `delayMs`.
 * - `gave up`: the job has failed on its last delivery; the message goes to the dead-letter queue.
 */
export type JobResult =
  | { readonly outcome: 'succeeded' | 'failed' | 'skipped' | 'duplicate' | 'continued' }
  | { readonly outcome: 'gave up' }
  | { readonly outcome: 'retrying'; readonly delayMs: number };
