import type { JobName } from '../core/job.ts';
import type { RunReport } from '../core/job-ending.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { PolicyState, PolicyWalk } from '../core/policy.ts';
import type { Place } from '../core/sealed.ts';
import type { ReadableSecret, SettingsRows } from '../core/user.ts';

/** The settings table as the check sees it. */
export interface CheckedRows extends SettingsRows<unknown> {
  /** The ids of all users, by pages, in an order of their own; those behind `after` alone. */
  everyone(after?: string): AsyncIterable<readonly string[]>;
  /** Has the row be looked at by itself, by one more change of it. */
  askForCheck(userId: string): Promise<void>;
}

/** The operator's policy as the check sees it. */
export interface Policies {
  look(): Promise<PolicyState>;
  /** Rows that are read from now on are judged by what is written now, or later. */
  forget(): void;
  /** Keeps a usable one for when one comes that is not, and begins a walk; undefined where the item changed. */
  begin(state: PolicyState): Promise<PolicyState | undefined>;
  /** Notes how far the walk has come; false where it is not any more where it was. */
  moveOn(state: PolicyState, walk: PolicyWalk): Promise<boolean>;
  /** Ends the walk and notes in the item what was made of it; false as for `moveOn`. */
  settle(state: PolicyState): Promise<boolean>;
}

/** What becomes of readable secrets. */
export interface Secrets {
  /** Those in the settings of one destination, whatever else is wrong with them. */
  find(type: string, settings: Readonly<Record<string, unknown>>): readonly ReadableSecret[];
  /** What takes the place of the text. */
  seal(place: Place, setting: string, text: string): Promise<string>;
}

/** What is known of a user's runs beside the row. */
export interface History {
  /** Newest slot first. */
  jobs(userId: string): AsyncIterable<{ readonly job: JobName; readonly record: JobRecord }>;
  /** Notes in the row how a run ended; what a later run has told stays. */
  report(userId: string, destination: string, run: RunReport): Promise<void>;
}

export interface CheckMetrics {
  /** A changed row does not parse. */
  rowRefused(): void;
}

/** Where the check writes what happened. Fields hold no secret. */
export interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}
