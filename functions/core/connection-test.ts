import type { Problem } from './problem.ts';

/** Which destinations of a user are to be tried: one, or all without a name. */
export interface TestRequest {
  readonly v: 1;
  readonly userId: string;
  readonly destination?: string | undefined;
}

/** One stage of a connection test. */
export interface TestStep {
  readonly step: string;
  readonly ms: number;
  /** What was learnt. */
  readonly detail?: string | undefined;
  /** Present when the step failed; its message says what to change. */
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

/** How the test of one destination went. */
export interface DestinationTest {
  readonly destination: string;
  readonly type: string;
  /** Whether no step failed. */
  readonly ok: boolean;
  readonly steps: readonly TestStep[];
}

/**
 * What the check answers. Nothing in it is secret.
 * - `tested`: the destinations were tried from where transfers run.
 * - `refused`: the row has problems; nothing was tried.
 * - `not-found`: there is no such user, or no such destination; `known` names those that there are.
 */
export type TestAnswer =
  | { readonly v: 1; readonly result: 'tested'; readonly destinations: readonly DestinationTest[] }
  | { readonly v: 1; readonly result: 'refused'; readonly problems: readonly Problem[] }
  | { readonly v: 1; readonly result: 'not-found'; readonly known?: readonly string[] | undefined };
