/** A SHA-256 that is fed in order and, where it can, carried to another process. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** Its state so far as text, or undefined where this hash cannot be carried on elsewhere. */
  save(): string | undefined;
  /** Lowercase hex of all bytes so far; ends the hash. */
  finish(): string;
}

/** Makes running hashes. */
export interface Hashing {
  /** A new hash for an archive of so many bytes. */
  start(size: number): Promise<RunningHash>;
  /** Goes on from a saved state; undefined where that state is not usable any more. */
  resume(state: string): Promise<RunningHash | undefined>;
}
