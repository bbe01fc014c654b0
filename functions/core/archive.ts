import { createHash } from 'node:crypto';

/** One object of the staging bucket as a listing shows it. */
export interface StagedArchive {
  /** `<userId>/<component>/<file>`, the key in the staging bucket. */
  readonly key: string;
  /** What the archive holds: `html`, `mail`, `mysql`, … or any other folder name. */
  readonly component: string;
  /** The key below the component; may itself contain slashes. */
  readonly file: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/** A checksum of the whole object that the staging bucket stored when the archive was uploaded. */
export interface StoredChecksum {
  readonly algorithm: 'crc32';
  /** Unsigned 32-bit value. */
  readonly value: number;
}

/** An archive pinned to one exact content: every read asks for this version and ETag. */
export interface Archive extends StagedArchive {
  /** Absent in a bucket without versioning. */
  readonly versionId?: string | undefined;
  readonly checksum?: StoredChecksum | undefined;
}

/** What a user backs up: every component, or the ones named. */
export type Selection = 'everything' | readonly string[];

/**
 * Splits a staging key below its user; undefined where it is not `<userId>/<component>/<file>`. Hidden
 * folders, such as `<userId>/.ferry/`, hold keys and certificates that settings name, and no archives.
 */
export function splitKey(
  userId: string,
  key: string,
): { component: string; file: string } | undefined {
  const prefix = `${userId}/`;
  if (!key.startsWith(prefix)) return undefined;
  const slash = key.indexOf('/', prefix.length);
  const component = key.slice(prefix.length, slash);
  const file = key.slice(slash + 1);
  if (
    slash < 0 ||
    component === '' ||
    component.startsWith('.') ||
    file === '' ||
    file.endsWith('/')
  )
    return undefined;
  return { component, file };
}

export function isSelected(archive: StagedArchive, selection: Selection): boolean {
  return selection === 'everything' || selection.includes(archive.component);
}

/** Where an archive goes below the destination's own path. */
export function remotePath(archive: StagedArchive): string {
  return `${archive.component}/${archive.file}`;
}

/** A short stand-in for a staging key, which may be as long as a whole table key: 128 bits, hex. */
export function keyHash(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}

/**
 * Names one content of an archive going to one destination, in every process alike: 64 bits, hex.
 * Temporary files bear it, and finished ones where the protocol has room for it.
 */
export function transferId(userId: string, destination: string, archive: StagedArchive): string {
  const identity = JSON.stringify([userId, destination, archive.key, archive.etag, archive.size]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}
