import type { Problem } from '../core/problem.ts';
import type { Due, UserRow } from '../core/user.ts';

/** What the pipeline found about the `spec` of a row. */
export interface Verdict {
  /** Names the content that was checked. */
  readonly specHash: string;
  /** None for a valid row. */
  readonly problems: readonly Problem[];
  /** Where the due index is to have the user; absent for one who is not to run. */
  readonly due?: Due | undefined;
}

/** The settings table as the check sees it. */
export interface CheckedRows {
  /** The row as it is now; undefined where it was deleted. */
  read(userId: string): Promise<UserRow<unknown> | undefined>;
  /**
   * Writes the verdict into the row's status and due keys. False, and nothing written, where the due
   * keys are no longer `seen` or the row is gone.
   */
  save(userId: string, seen: Due | undefined, verdict: Verdict): Promise<boolean>;
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
