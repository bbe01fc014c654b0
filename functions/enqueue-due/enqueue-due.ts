import { Temporal } from 'temporal-polyfill';
import { writeSlot } from '../core/slot.ts';
import { allShards } from '../core/spread.ts';
import { type EnqueueTools, enqueuePage, type Tick, type TickClock } from './enqueue-page.ts';

/** Shards that are worked on at once. */
const SHARDS_AT_ONCE = 4;
/** No page is begun when less time is left: being killed in one would only send its jobs once more. */
const RESERVE_MS = 15_000;

/**
 * One tick: puts a job on the queue for every due user and active destination, then moves the user on
 * to the next slot. After an outage that is one run for all that was missed.
 *
 * Order of effects: jobs sent → row moved on, if it is still at this slot. A crash in between sends
 * the same jobs again, which the runs table recognises; it never loses one. What there is no time for
 * stays due and is done by the next tick.
 * @param scheduledTime when the tick was planned; counts where this machine's clock is behind it
 * @throws what kept a shard from being read, after the others were worked on
 */
export async function enqueueDue(
  tools: EnqueueTools,
  scheduledTime: Temporal.Instant,
  clock: TickClock,
): Promise<void> {
  const now = Temporal.Instant.fromEpochMilliseconds(
    Math.max(clock.now(), scheduledTime.epochMilliseconds),
  );
  const tick: Tick = {
    now,
    clock,
    summary: { jobs: 0, invalidRows: 0, usersLeft: 0, lagSeconds: 0 },
  };
  const failures: unknown[] = [];
  const shards = allShards(tools.spread.shards).values();
  const work = async () => {
    for (const shard of shards) {
      await enqueueShard(tools, tick, shard).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: SHARDS_AT_ONCE }, work));
  tools.metrics.tickEnded(tick.summary);
  if (failures.length > 0) throw failures[0];
}

async function enqueueShard(tools: EnqueueTools, tick: Tick, shard: string): Promise<void> {
  for await (const page of tools.rows.due(shard, writeSlot(tick.now))) {
    if (tick.clock.remaining() < RESERVE_MS) {
      tools.log.warn('out of time: the next tick goes on', { shard });
      return;
    }
    await enqueuePage(tools, tick, page);
  }
}
