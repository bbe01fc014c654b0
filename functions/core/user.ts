import type { Selection } from './archive.ts';
import type { Parsed, Problem } from './problem.ts';
import type { Verification } from './receipt.ts';
import type { Schedule } from './schedule.ts';
import type { Secret } from './secret.ts';

/**
 * What a user may be called: it is the first folder of the staging bucket, part of keys and ids that
 * are put together with `#`, and a message group. Dots alone would be a path of their own.
 */
export const USER_ID = /^(?!\.+$)[A-Za-z0-9._@-]{1,128}$/;

/** What a destination may be called: part of the same keys and ids. */
export const DESTINATION_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** One place of a user, as far as its type accepted it. */
export interface UserDestination<Configured> {
  readonly enabled: boolean;
  readonly type: string;
  readonly verify: Verification;
  readonly configured: Configured;
}

/** What one row of the settings table asks for. `Configured` is what a destination type makes of its settings. */
export interface User<Configured> {
  readonly id: string;
  readonly enabled: boolean;
  readonly schedule: Schedule;
  readonly backUp: Selection;
  readonly destinations: ReadonlyMap<string, UserDestination<Configured>>;
}

/** Where something stands in a row: the names of maps and the places in lists, outermost first. */
export type RowPath = readonly (string | number)[];

/** One map of a row, whatever it is: a secret may stand in any, also where it does not belong. */
export interface WrittenMap {
  readonly path: RowPath;
  readonly values: Readonly<Record<string, unknown>>;
  /** The destination that it is part of; empty, which no destination can be called, where of none. */
  readonly destination: string;
  /** As the row has it, which may be wrong in any way. */
  readonly type: string;
  /** The settings of that destination, which may be wrong in any way. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Something that was wrong with a secret while it could be read. */
export interface KeptProblem {
  /** The setting that it is told at. */
  readonly setting: string;
  /** Names the value of that setting, where it is another one than the secret and is given. */
  readonly value?: string | undefined;
  readonly problem: string;
  readonly remedy: string;
}

/** A secret that stands in a row as a person wrote it. */
export interface ReadableSecret {
  /** The setting that it is for. */
  readonly setting: string;
  /** What it stands under: the setting's name, or that in other letters. */
  readonly name: string;
  /** What is to be sealed; of something that is no text, its JSON. */
  readonly text: Secret;
  /** As it stands there; a function, so that nothing prints it. */
  was(): unknown;
  /** What is wrong with it and will not show once it is sealed. */
  problems(): readonly KeptProblem[];
}

/** What stands in the row in place of a secret; `problems` where it is known to be of no use. */
export interface SealedValue {
  readonly sealed: string;
  readonly problems?: readonly KeptProblem[] | undefined;
}

/** A secret that takes the place of its readable text. */
export interface Sealing {
  readonly path: RowPath;
  /** What stands there now, for the condition of the write; a function, so that nothing prints it. */
  was(): unknown;
  readonly value: SealedValue;
}

/** A row of the settings table as the pipeline meets it. */
export interface UserRow<Configured> {
  /** The names of all destinations, whatever they are called and whatever is wrong with them. */
  readonly named: ReadonlySet<string>;
  /** Every map of the row that people can write, outer ones first. */
  maps(): readonly WrittenMap[];
  /** Whether this destination was removed, or it or the user switched off, whatever else is wrong. */
  isOff(destination: string): boolean;
  /** What people wrote, of this destination alone: an item that can be read as this one was. */
  only(destination: string): unknown;
  /** The row as it is once these secrets are in it. */
  sealed(sealings: readonly Sealing[]): UserRow<Configured>;
  readonly user: Parsed<User<Configured>>;
  /** Names the content of `spec`. */
  readonly specHash: string;
  /** The content that `status` speaks of; absent where the row was never checked or `status` is gone. */
  readonly checkedHash?: string | undefined;
  /** The problems that `status` names. */
  readonly told?: unknown;
  /** Where the due index has it; absent for a user who is not due. */
  readonly due?: Due | undefined;
}

/** A user's place in the due index. */
export interface Due {
  readonly shard: string;
  /** The next slot, ISO 8601 UTC. */
  readonly at: string;
}

/** What a row is told, and where the due index is to have its user. */
export interface Verdict {
  /** Names the content that was looked at whole; absent leaves it to be looked at. */
  readonly specHash?: string | undefined;
  /** None for a valid row; absent says nothing about it. */
  readonly problems?: readonly Problem[];
  /** Absent for a user who is not to run. */
  readonly due?: Due | undefined;
  /** Put in place of readable secrets by the same write. */
  readonly sealings?: readonly Sealing[];
}

/** The settings table as the pipeline sees it. */
export interface SettingsRows<Configured> {
  /** The row as it is now; undefined where it was deleted. */
  read(userId: string): Promise<UserRow<Configured> | undefined>;
  /**
   * Writes the verdict into the row's status and due keys, and sealed secrets where they belong.
   * False, and nothing written, where the row is gone or no longer due when it was `seen` to be, or
   * where one of the secrets is another by now.
   */
  save(userId: string, seen: Due | undefined, verdict: Verdict): Promise<boolean>;
}

/** The names of the destinations that a run of this user goes to; none for a paused user. */
export function activeDestinations(user: User<unknown>): readonly string[] {
  if (!user.enabled) return [];
  return [...user.destinations].filter(([, { enabled }]) => enabled).map(([name]) => name);
}
