import { type Job, jobId } from '../../../functions/core/job.ts';
import { readMessage } from '../../../functions/queue/message.ts';
import { jobRecordSchema } from '../../../functions/runs/schema.ts';
import type { Invocation, Nature } from '../cloud/environment.ts';
import type { JobQueue, Message } from '../cloud/job-queue.ts';
import type { Table, Write } from '../cloud/tables.ts';
import type { People } from '../people/people.ts';
import type { Leases } from './leases.ts';
import { readKey } from './runs-key.ts';
import type { Witness } from './witness.ts';

/** Judges how jobs end and what users are told of it. */
export interface Jobs {
  /** A destination has refused a job for good. */
  refused(jobId: string, message: string): void;
  runsWritten(write: Write): void;
  settingsWritten(write: Write): void;
  /** A message has become a dead letter. */
  diedAway(message: Message): void;
  /** Called when nothing is on the queue any more. */
  atRest(): void;
  readonly ended: number;
}

type Status = Record<string, unknown>;

const MOST_HOPS = 400;
/** A skip is said of a run that has just ended, as long as the lease is not given back, in ms. */
const RELEASING_MS = 60_000;
/** Told by the tick, or not, depending on when somebody edited the row, in ms. */
const EDITED_MS = 120_000;

export function judgeJobs(
  { judge, timeline }: Nature,
  tables: { readonly runs: Table; readonly settings: Table },
  queue: JobQueue,
  people: People,
  leases: Leases,
  witness: Witness,
): Jobs {
  const told = new Map<string, string>();
  const endedAt = new Map<string, number>();
  const lastWriter = new Map<string, Invocation | undefined>();
  const refusals = new Map<string, Set<string>>();

  /** What the user's row says of the last run must help the user. */
  const runTold = (userId: string, destination: string, run: unknown) => {
    if (typeof run !== 'object' || run === null) return;
    const { slot, outcome, message, code } = Object.assign(
      { slot: '', outcome: '', message: undefined, code: undefined },
      run,
    );
    const id = `${userId}#${slot}#${destination}`;
    told.set(id, `${outcome}`);
    const isSentence = typeof message === 'string' && /^\S.{10,}[.!)]$/s.test(message);
    if (outcome !== 'succeeded' && !isSentence) {
      judge.violate('every failure has a reason', `${id} ${outcome} and says "${message}"`);
    }
    if (outcome === 'failed' && typeof code !== 'string') {
      judge.violate('every failure has a code', `${id} failed: "${message}"`);
    }
    const other = /^The run (\S+) was still under way/.exec(`${message}`)?.[1];
    const ended = other === undefined ? undefined : endedAt.get(other);
    const isOld = ended !== undefined && timeline.now() - ended > RELEASING_MS;
    if (isOld && !leases.isOrphaned(`${userId}/${destination}`)) {
      judge.violate('a skip is honest', `${id} waits for ${other}, which has ended`);
    }
  };

  /** Whether the user's row tells of a later slot, and of no skip: an older one then changes nothing. */
  const isOutdone = (key: string, place: string) => {
    const [userId = '', destination = ''] = place.split('/');
    const row = tables.settings.items.get(userId);
    const { slot, outcome } = nested(row, 'status', 'destinations', destination, 'lastRun');
    return typeof slot === 'string' && slot > readKey(key).slot && outcome !== 'skipped';
  };

  /** The pipeline tells of the latest run that was no skip, and of the latest good one. */
  const neverBack = (place: string, before: Status, after: Status) => {
    const [earlier, later] = [nested(before, 'lastRun'), nested(after, 'lastRun')];
    if (earlier.outcome !== 'skipped' && isBefore(later.slot, earlier.slot)) {
      const words = `${place} told of ${earlier.slot}, and then of ${later.slot}`;
      judge.violate('the latest run is told of', words);
    }
    if (isBefore(after.lastGood, before.lastGood)) {
      const words = `${place} was good at ${before.lastGood}, and then at ${after.lastGood}`;
      judge.violate('the last good run is never an earlier one', words);
    }
  };

  /** A slot is left behind only when each of its jobs is on the queue. */
  const rowMoved = ({ key: userId, before, after, by }: Write) => {
    const [earlier, later] = [before?.dueAt, after?.dueAt];
    if (typeof earlier !== 'string' || earlier === later || !by) return;
    const isTick = by.name.startsWith('tick');
    // Who looks at an edited row may move a time to come, and one that has just come is the tick's.
    if (!isTick && Date.parse(earlier) > timeline.now() - EDITED_MS / 2) return;
    if (timeline.now() - people.editedAt(userId) < EDITED_MS) return;
    for (const destination of people.active(userId)) {
      if (queue.sent.has(body({ userId, slot: earlier, destination, hop: 0 }))) continue;
      judge.violate(
        'no run is lost',
        `${by.name} moved ${userId} on from ${earlier}: no job for ${destination}`,
      );
    }
  };

  return {
    refused(id, message) {
      refusals.set(id, (refusals.get(id) ?? new Set()).add(message));
    },

    runsWritten({ key, after, by }) {
      const { kind, place } = readKey(key);
      if (kind !== 'JOB' || !after) return;
      const record = jobRecordSchema.parse(after.data);
      lastWriter.set(record.jobId, by);
      const [userId = ''] = place.split('/');
      if (record.hop > MOST_HOPS) {
        judge.violate('jobs come to an end', `${record.jobId} is at hop ${record.hop}`);
      }
      if (record.state === 'running') {
        endedAt.delete(record.jobId);
        const { errors, jobId: id } = record;
        const again = errors.find((e) => !e.archive && refusals.get(id)?.has(e.message));
        if (again) judge.violate('never means never', `${id} goes on after "${again.message}"`);
        return;
      }
      endedAt.set(record.jobId, timeline.now());
      const isGone = timeline.now() - people.wasGoneAt(userId) < EDITED_MS;
      const { state } = record;
      if (told.get(record.jobId) !== state && !isGone && !isOutdone(key, place)) {
        const words = told.get(record.jobId) ?? 'nothing';
        judge.violate(
          'the user is told first',
          `${by?.name} ended ${record.jobId} as ${state}; the row says ${words}`,
        );
      }
    },

    settingsWritten(write) {
      rowMoved(write);
      const destinations = nested(write.after, 'status', 'destinations');
      const before = nested(write.before, 'status', 'destinations');
      for (const [destination, status] of Object.entries(destinations)) {
        const now = nested({ status }, 'status');
        const earlier = nested({ status: before[destination] }, 'status');
        if (write.by) neverBack(`${write.key}/${destination}`, earlier, now);
        if (JSON.stringify(now.lastRun) !== JSON.stringify(earlier.lastRun)) {
          runTold(write.key, destination, now.lastRun);
        }
      }
    },

    diedAway({ handle, body: text }) {
      const last = witness.answerOf(handle);
      const name = jobId(readMessage(text));
      if (last?.outcome !== 'retrying' || lastWriter.get(name) !== last.by) return;
      judge.violate(
        'a dead letter is told of',
        `${name} was to be tried again, and is a dead letter`,
      );
    },

    atRest() {
      const dead = new Set(queue.deadLetters.map(({ body: text }) => jobId(readMessage(text))));
      for (const text of queue.sent) {
        const job = readMessage(text);
        const id = jobId(job);
        const item = tables.runs.items.get(`USER#${job.userId}|JOB#${job.slot}#${job.destination}`);
        const record = item && jobRecordSchema.parse(item.data);
        // Before a worker has written of it, nobody but the alarm on dead letters can tell.
        const isLetter = record === undefined && dead.has(id);
        if (record?.state !== 'running' && (record || isLetter)) continue;
        const state = record ? `running at hop ${record.hop}` : 'unknown';
        judge.violate('jobs come to an end', `${id} is ${state}, and nothing is on the queue`);
      }
    },

    get ended() {
      return endedAt.size;
    },
  };
}

/** Of two texts whose order is that of time. */
function isBefore(one: unknown, other: unknown): boolean {
  return typeof one === 'string' && typeof other === 'string' && one < other;
}

function body({ userId, slot, destination, hop }: Job): string {
  return JSON.stringify({ v: 1, userId, slot, destination, hop });
}

function nested(item: object | undefined, ...path: readonly string[]): Record<string, unknown> {
  let found: unknown = item;
  for (const step of path) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, step) : undefined;
  }
  return typeof found === 'object' && found !== null ? { ...found } : {};
}
