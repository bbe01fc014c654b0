import { z } from 'zod';
import { parseLine } from './function-log.ts';
import { platformReport } from './lambda-messages.ts';

/** One archive on its way to one destination. */
export interface TransferState {
  readonly userId: string;
  readonly destination: string;
  /** Staging key. */
  readonly archive: string;
  readonly bytes: number;
  readonly total: number;
  /** When it was first heard of, epoch milliseconds, and how far it was then. */
  readonly since: number;
  readonly bytesThen: number;
  /** When it was last heard of. */
  readonly at: number;
}

/** What the log of the transfer function says of one delivery. */
export interface DeliveryRecord {
  readonly durationMs: number;
}

const fields = { userId: z.string(), destination: z.string() };

/** The lines of the transfer function that matter to whoever watches. */
const logLine = z.discriminatedUnion('message', [
  z.object({
    message: z.literal('progress'),
    ...fields,
    archive: z.string(),
    bytes: z.number(),
    total: z.number(),
  }),
  z.object({
    message: z.literal('delivered'),
    ...fields,
    archive: z.string(),
    bytes: z.number(),
    durationMs: z.number(),
  }),
  z.object({
    message: z.literal('archive not delivered'),
    ...fields,
    archive: z.string(),
    reason: z.string(),
  }),
  z.object({
    message: z.literal('job ended'),
    ...fields,
    outcome: z.string(),
    reason: z.string().optional(),
    errors: z.array(z.object({ message: z.string(), archive: z.string().optional() })).default([]),
  }),
]);

/** Follows the transfers by what the function logs, as an operator would in CloudWatch. */
export class DeliveryLog {
  readonly #underWay = new Map<string, TransferState>();
  readonly #delivered = new Map<string, DeliveryRecord>();
  readonly #troubles = new Map<string, string>();

  /** The most memory that any worker process has taken so far, in MiB. */
  peakMemoryMiB = 0;

  /** Takes any line of the log; what it does not know it leaves alone. */
  read(line: string, now: number): void {
    const value = parseLine(line);
    const report = platformReport.safeParse(value);
    if (report.success) {
      const { maxMemoryUsedMB } = report.data.record.metrics;
      this.peakMemoryMiB = Math.max(this.peakMemoryMiB, maxMemoryUsedMB);
    }
    const parsed = logLine.safeParse(value);
    if (!parsed.success) return;
    const entry = parsed.data;
    if (entry.message === 'job ended') {
      for (const { archive, message } of entry.errors) {
        this.#troubles.set(keyOf({ ...entry, archive: archive ?? '' }), message);
      }
      const prefix = keyOf({ ...entry, archive: '' });
      for (const key of this.#underWay.keys()) {
        if (key.startsWith(prefix)) this.#underWay.delete(key);
      }
      return;
    }
    const key = keyOf(entry);
    if (entry.message === 'progress') {
      const { userId, destination, archive, bytes, total } = entry;
      const { since, bytesThen } = this.#underWay.get(key) ?? { since: now, bytesThen: bytes };
      this.#underWay.set(key, {
        userId,
        destination,
        archive,
        bytes,
        total,
        since,
        bytesThen,
        at: now,
      });
      return;
    }
    this.#underWay.delete(key);
    if (entry.message === 'delivered') {
      this.#delivered.set(key, { durationMs: entry.durationMs });
    } else {
      this.#troubles.set(key, entry.reason);
    }
  }

  /** Transfers that have begun and not ended, in the order in which they began. */
  underWay(): readonly TransferState[] {
    return [...this.#underWay.values()];
  }

  delivered(of: DeliveryKey): DeliveryRecord | undefined {
    return this.#delivered.get(keyOf(of));
  }

  /** The last thing that went wrong with this archive, or with its destination. */
  trouble(of: DeliveryKey): string | undefined {
    return this.#troubles.get(keyOf(of)) ?? this.#troubles.get(keyOf({ ...of, archive: '' }));
  }
}

interface DeliveryKey {
  readonly userId: string;
  readonly destination: string;
  readonly archive: string;
}

function keyOf({ userId, destination, archive }: DeliveryKey): string {
  return `${userId}#${destination}#${archive}`;
}
