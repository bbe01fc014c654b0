/**
 * The right to write to one destination of one user, held by one worker at a time. It ends by itself
 * after the longest time that a worker can live, so no heartbeat is needed and no clock but the
 * table's readers' is trusted; the margin covers their skew.
 */
export interface Lease {
  readonly userId: string;
  readonly destination: string;
  readonly jobId: string;
  /** Names this worker's invocation. */
  readonly owner: string;
  /** Grows with each holder; every write of ours is conditional on it. */
  readonly fence: number;
  /** Epoch ms. */
  readonly until: number;
}

/** How far the clocks of two workers may be apart, in ms. */
export const CLOCK_SKEW_MS = 60_000;

export type LeaseAnswer =
  | { readonly held: true; readonly lease: Lease }
  | { readonly held: false; readonly by: { readonly jobId: string; readonly until: number } };
