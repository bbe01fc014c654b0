import type { Job } from '../core/job.ts';
import type { SettingsRows } from '../core/user.ts';

/** A user as the due index lists it; the index may lag behind the row. */
export interface DueUser {
  readonly userId: string;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** The settings table as the tick sees it. */
export interface DueRows extends SettingsRows<unknown> {
  /** Users of one shard who are due at `until` (ISO 8601 UTC) or earlier, longest first, by pages. */
  due(shard: string, until: string): AsyncIterable<readonly DueUser[]>;
}

/** The job queue as the tick sees it. */
export interface JobSender {
  /** Resolves with the jobs that are not on the queue. */
  send(
    jobs: readonly Job[],
  ): Promise<readonly { readonly job: Job; readonly code: string; readonly message: string }[]>;
}

/** What one tick did. */
export interface TickSummary {
  /** Put on the queue. */
  readonly jobs: number;
  readonly invalidRows: number;
  /** Due users for whom reading, sending or moving on failed. */
  readonly usersLeft: number;
  /** The longest time between a slot and the moment its jobs were on the queue, in seconds. */
  readonly lagSeconds: number;
}

export interface EnqueueMetrics {
  tickEnded(summary: TickSummary): void;
}

/** Where the tick writes what happened. Fields hold no secret. */
export interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}
