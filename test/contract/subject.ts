import type { Destination } from '../../functions/destinations/contract.ts';

/** Why a case cannot be made on a server; shown in the run's output, so that no gap is silent. */
export interface NotHere {
  readonly notHere: string;
}

export type Maybe<T> = T | NotHere;

/** One server with one fresh, empty place on it, as the conformance suite sees it. */
export interface Subject {
  /** Opens the destination again and again at the same place, as separate processes would. */
  open(): Promise<Destination>;
  /** The same server with credentials that it refuses. */
  readonly openRefused: Maybe<() => Promise<Destination>>;
  /** A server that takes connections and never answers. */
  readonly openSilent: Maybe<() => Promise<Destination>>;
  /** The same place, reached through a wire that flips one bit of what is sent, after the first MiB. */
  readonly openCorrupting: Maybe<() => Promise<Destination>>;
  /** A place with less than 8 MiB of room. */
  readonly openFull: Maybe<() => Promise<Destination>>;
  /** A server that answers every request with this HTTP status and `Retry-After: 7`. */
  readonly openBusy: Maybe<(status: 429 | 503) => Promise<Destination>>;
  /** Reads a finished file without Ferry's code; undefined where there is none. */
  readDirectly(path: string): Promise<Buffer | undefined>;
  /** Paths of everything at the place, temporary files and unfinished uploads included, without Ferry's code. */
  listDirectly(): Promise<readonly string[]>;
  /** Makes the server lose what it holds of every unfinished upload. */
  loseUnfinished(): Promise<void>;
  /** Cuts the last byte off what the server holds of an unfinished upload. */
  readonly shortenUnfinished: Maybe<() => Promise<void>>;
  /** Why files of this name cannot be kept here as they are called; every name can be without it. */
  readonly refusesName?: (name: string) => NotHere | undefined;
  /** Values that no error may ever show. */
  readonly secrets: readonly string[];
  /** More files than the server lists on one page; small, since each is written. */
  readonly listPage: number;
  stop(): Promise<void>;
}
