import { createHash } from 'node:crypto';
import type { Destination } from '../../../functions/destinations/contract.ts';
import type { Invocation, Nature } from '../cloud/environment.ts';

/** A file under its final name. */
export interface StoredFile {
  readonly bytes: Buffer;
  /** The transfer that made it, where the kind of server has room for that. */
  readonly mark?: string | undefined;
  /** As the server writes it. */
  readonly etag: string;
  /** Seconds since the epoch. */
  readonly modified: number;
}

/** Something of ours that is not published. */
export interface Leftover {
  readonly what: string;
  readonly by: Invocation;
  /** Goes by itself, or is left there by promise. */
  readonly isAllowed: boolean;
}

/** What the server's owner has done to it. */
export interface Condition {
  password: string;
  isFull: boolean;
}

export interface Publication {
  readonly server: Server;
  readonly path: string;
  readonly file: StoredFile;
  readonly before: StoredFile | undefined;
  readonly by: Invocation;
}

/** Files under their final names, which is all that a person sees. */
export interface Shelf {
  readonly files: ReadonlyMap<string, StoredFile>;
  publish(path: string, file: Omit<StoredFile, 'etag'> & { etag?: string }, by: Invocation): void;
  remove(path: string): void;
}

/** One server of one user, as it behaves. */
export interface Server {
  readonly name: string;
  readonly kind: string;
  readonly shelf: Shelf;
  readonly condition: Condition;
  /** Whether what was sent can be continued. */
  readonly canResume: boolean;
  leftovers(): readonly Leftover[];
  /** A driver in one process. */
  connect(invocation: Invocation, password: string): Destination;
}

/** What every kind of server is made of. */
export interface ServerSite {
  readonly nature: Nature;
  readonly name: string;
  /** How long a part takes, in ms. */
  readonly partMs: number;
  /** Bytes of a part. */
  readonly part: number;
  readonly condition: Condition;
  /** A trait that some servers of a kind have and others have not. */
  readonly trait: boolean;
  observe(publication: Omit<Publication, 'server'>): void;
}

export function openShelf({ nature, observe }: ServerSite): Shelf {
  const files = new Map<string, StoredFile>();
  let etags = 0;
  return {
    files,
    publish(path, given, by) {
      etags += 1;
      const before = files.get(path);
      const file = { ...given, etag: given.etag ?? `"${etags}"` };
      files.set(path, file);
      nature.history.note(by.name, `published ${path}`, file.bytes.length);
      observe({ path, file, before, by });
    },
    remove(path) {
      files.delete(path);
    },
  };
}

export function secondsNow({ timeline }: Nature): number {
  return Math.floor(timeline.now() / 1000);
}

export function sha256Of(...pieces: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
