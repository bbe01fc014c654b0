import type { JobName } from '../core/job.ts';
import type { RunReport } from '../core/job-ending.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Policy } from '../core/policy.ts';
import type { Problem } from '../core/problem.ts';
import type { Place } from '../core/sealed.ts';
import type { Secret } from '../core/secret.ts';
import type { KeptProblem, SettingsRows } from '../core/user.ts';

/** The settings table as the check sees it. */
export interface CheckedRows extends SettingsRows<unknown> {
  /** The ids of all users, by pages. */
  everyone(): AsyncIterable<readonly string[]>;
}

/** The policy as it stands, and what is wrong with what the operator wrote. */
export interface PolicyState {
  readonly policy: Policy;
  readonly problems: readonly Problem[];
  /** Absent where nothing is written. */
  readonly written?: { readonly policy: unknown; readonly hash: string } | undefined;
  /** The content that the item's status speaks of. */
  readonly checkedHash?: string | undefined;
  /** The content that is kept for when one comes that cannot be used. */
  readonly keptHash?: string | undefined;
}

/** The operator's policy as the check sees it. */
export interface Policies {
  look(): Promise<PolicyState>;
  /** Keeps a usable one for when one comes that is not. */
  keep(state: PolicyState): Promise<void>;
  /** Notes in the item what was made of it. */
  settle(state: PolicyState): Promise<void>;
}

/** A secret that stands in a row as a person wrote it. */
export interface ReadableSecret {
  readonly setting: string;
  readonly text: Secret;
  /** As it stands there. */
  was(): unknown;
  /** What is wrong with it and will not show once it is sealed. */
  problems(): readonly KeptProblem[];
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
