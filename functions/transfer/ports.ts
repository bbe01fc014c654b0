import type { Archive, StagedArchive } from '../core/archive.ts';

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
