import type { Policy } from '../core/policy.ts';
import type { Problem } from '../core/problem.ts';
import type { SettingsRows } from '../core/user.ts';

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
}

/** The operator's policy as the check sees it. */
export interface Policies {
  look(): Promise<PolicyState>;
  /** Notes in the item what was made of it. */
  settle(state: PolicyState): Promise<void>;
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
