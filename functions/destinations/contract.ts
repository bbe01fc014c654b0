import type { Json } from '../core/checkpoint.ts';
import type { FerryError } from '../core/errors.ts';
import type { PartLimits, PartPlan, PartRange } from '../core/parts.ts';
import type { Digest, Proof } from '../core/receipt.ts';

export type { Json } from '../core/checkpoint.ts';

/** What a destination can do, as data: the engine and the conformance suite adapt to it. */
export interface Capabilities {
  /**
   * - `any-order`: parts may arrive and finish in any order.
   * - `append`: parts are started in order of their number; several may be under way.
   * - `whole`: the file is one body; parts are started in order, one at a time.
   */
  readonly writes: 'any-order' | 'append' | 'whole';
  readonly part: PartLimits;
  /** How many parts at once are wise. */
  readonly parallel: number;
  /** What survives a lost process: parts (`resume` continues) or nothing (`resume` starts again). */
  readonly resume: 'parts' | 'none';
  /** How a finished file appears: by one atomic call, or by renaming a temporary file. */
  readonly publish: 'atomic' | 'rename';
  /** Names that differ only in letter case are one name here. */
  readonly foldsCase?: boolean;
  /** Names that differ only in how their letters are put together (Unicode NFC and NFD) are one name here. */
  readonly composesNames?: boolean;
  /** The strongest proof that the destination gives of a finished file. */
  readonly proof: Proof['verified'];
}

/** One file to be delivered. */
export interface RemoteFile {
  /** Relative to the destination's own path: `<component>/<file>`, `/` between folders. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Stable for one archive content going to one destination, `[0-9a-f]{16}`: names temporary files
   * and marks finished ones, so that what we find after a crash is known to be ours.
   */
  readonly transferId: string;
}

export interface Part extends PartRange {
  /**
   * Valid until `writePart` settles or the part is released; a driver that keeps bytes longer copies them.
   * Those of a file's only part are valid until `finish` or `abort` settles.
   */
  readonly bytes: Buffer;
}

/**
 * Parts in a row of which all come, should nothing fail: a driver for whose server requests are dear may
 * send them in one. Whoever makes no use of it leaves it alone.
 */
export interface Span {
  /** How many parts come after this one. */
  readonly following: number;
  /** Tells that this part's bytes are needed no more, while its acknowledgement is still to come. */
  release(): void;
}

/** One file under way. Nothing is visible under its final name before `finish`. */
export interface Upload {
  /**
   * How many leading parts the destination holds for certain: 0 for a new upload, `plan.count` where
   * everything is there. The engine sends all others, also those that an earlier process sent.
   */
  readonly held: number;
  /**
   * Resolves when the destination has acknowledged the part. Writing the same part again is harmless.
   * @param span absent where no other part is certain to come
   * @throws FerryError `short-write` when the destination took fewer bytes
   */
  writePart(part: Part, signal: AbortSignal, span?: Span): Promise<void>;
  /**
   * What `resume` needs in another process: small, no secret; durable at the destination when it resolves.
   * Covers the parts whose `writePart` had resolved. Undefined where nothing would survive.
   */
  checkpoint(): Promise<Json | undefined>;
  /**
   * Publishes and proves the file. Idempotent: called again, here or after `resume`, it finds its own
   * work under the final name. An existing file of that name is replaced whole.
   * @throws FerryError `corrupted` when the destination's answer contradicts the digest
   */
  finish(digest: Digest, signal: AbortSignal): Promise<Proof>;
  /** Takes back what is not published and leaves nothing behind; again is harmless, finished files stay. */
  abort(): Promise<void>;
}

export interface RemoteStat {
  /** Relative to the destination's own path. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
}

/** One stage of a connection test. */
export interface CheckStep {
  readonly step: string;
  readonly ms: number;
  /** Present when the step failed; its message says what to change. The steps after it are not tried. */
  readonly error?: FerryError | undefined;
  /** What was learnt, e.g. the host key's fingerprint. */
  readonly detail?: string | undefined;
}

/**
 * One open destination of one user. Connections are made lazily and closed by `close`.
 * All methods throw FerryError only. Only the driver decides whether an error is permanent.
 */
export interface Destination {
  /** What it can do. Where only the server's behaviour tells, that is tried out when it is first asked. */
  capabilities(signal: AbortSignal): Promise<Capabilities>;
  /** Staged connection test, ended by the first step that fails. Leaves nothing behind. */
  check(signal: AbortSignal): AsyncIterable<CheckStep>;
  begin(file: RemoteFile, plan: PartPlan, signal: AbortSignal): Promise<Upload>;
  /**
   * Goes on from a checkpoint of an earlier upload of the same file and plan.
   * @throws FerryError `upload-lost`, retry `now`, when the remote state is gone: `begin` again
   */
  resume(file: RemoteFile, plan: PartPlan, checkpoint: Json, signal: AbortSignal): Promise<Upload>;
  /** Undefined when there is no such file. */
  stat(path: string, signal: AbortSignal): Promise<RemoteStat | undefined>;
  /** Every file below the folder `prefix` ('' for all), at any depth; none of our temporary files. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<RemoteStat>;
  /** Bytes `from` up to, not including, `to`; the whole file by default. */
  read(
    path: string,
    signal: AbortSignal,
    range?: { from: number; to: number },
  ): AsyncIterable<Uint8Array>;
  /** Removing what is not there is no error. */
  remove(path: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
