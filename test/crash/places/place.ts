import type { FaultProxy } from '../../servers/fault-proxy.ts';

/**
 * What becomes of a request that changes something; undefined passes it on.
 * - `lose-request`: the connection breaks, and the server is not asked.
 * - a function: called when the server has answered; `lose-answer` breaks the connection then.
 */
export type Happening = 'lose-request' | (() => Promise<'lose-answer' | undefined>) | undefined;

/** Told of each request that changes something, by what it is, such as `part 3` or `publish`. */
export type Watch = (step: string) => Happening | Promise<Happening>;

/** A server of one type. */
export interface Place {
  /** Names it among all: its type, but where a type has several. */
  readonly name: string;
  readonly type: string;
  /** The server, and the client that is asked what arrived, which knows nothing of Ferry. */
  readonly server: string;
  readonly client: string;
  /** Bytes that one connection carries at once: a part, or all parts where there is one connection. */
  readonly bytesAtOnce: number;
  /** What an invocation takes on while the line needs a fifth of its time for `bytesAtOnce`. */
  readonly hopBytes: number;
  /** The way to a folder of its own, which one round takes. */
  open(folder: string, watch: Watch): Promise<Way>;
  stop(): Promise<void>;
}

/** A server that can be stopped at any moment and goes on with what it has stored. */
export interface CrashPlace extends Place {
  halt(): Promise<void>;
  start(): Promise<void>;
}

/** The way of one round to a server, by a wire that can be made bad. */
export interface Way {
  /** What a user writes into the row. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly wire: FaultProxy;
  /** Puts an older file under a name, as an earlier backup would have. */
  put(path: string, bytes: Buffer): Promise<void>;
  /** Bytes of what is under a name now; undefined when nothing is. */
  sizeOf(path: string): Promise<number | undefined>;
  /** What the usual client reads. */
  read(path: string): Promise<Buffer>;
  /** Everything in the folder, unfinished things of every kind too, as the server has it. */
  contents(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Which part of its archive a byte belongs to, from 1, as steps are called. */
export function partAt(offset: number, partSize = 8 * 1024 ** 2): string {
  return `part ${Math.floor(offset / partSize) + 1}`;
}
