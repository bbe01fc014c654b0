import type { Writable } from 'node:stream';
import type { LocalUser } from './users.ts';

/** A server on which users want their archives, and how to look at it without Ferry. */
export interface DestinationServer extends AsyncDisposable {
  /** The type of destination that it is for Ferry. */
  readonly type: string;
  /** Where it is, for a person who wants to see for themselves. */
  readonly address: string;
  /** How to see what arrived for a user: a folder, or a command that can be pasted. */
  lookAt(userId: string): string;
  /** What the user types into the settings row. */
  settingsFor(userId: string, password: string): Readonly<Record<string, string | number>>;
  /** Copies a file of the user's into `sink`; nothing of Ferry's own code is in between. */
  read(login: Login, path: string, sink: Writable, signal: AbortSignal): Promise<void>;
}

/** Who reads. */
export interface Login {
  readonly userId: string;
  readonly password: string;
}

/** Starts a server on a free port of the loopback interface, with a place for each of the logins. */
export type StartServer = (
  logins: readonly Login[],
  /** A folder of its own, for what it keeps on disk. */
  folder: string,
) => Promise<DestinationServer>;

/** The logins that users have at servers of one type. */
export function loginsFor(type: string, users: readonly LocalUser[]): Login[] {
  return users.flatMap(({ id, destinations }) =>
    Object.values(destinations)
      .filter((place) => place.type === type)
      .map(({ password }) => ({ userId: id, password })),
  );
}
