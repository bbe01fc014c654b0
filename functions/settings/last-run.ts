import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { SETTINGS_KEY } from './keys.ts';

/** What `status` keeps of the last run to one destination. */
export interface LastRun {
  /** As `writeSlot` spells it, so that text order is time order. */
  readonly slot: string;
  readonly outcome: 'succeeded' | 'failed' | 'skipped';
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly message?: string | undefined;
  readonly code?: string | undefined;
}

/** A conditional update of one row. */
export type Change = Omit<UpdateCommandInput, 'TableName' | 'Key'>;

/** One field of a destination's status, and when it may be written. */
interface Mark {
  readonly set: string;
  readonly condition: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * What of a run is noted: the run itself, unless one of a later slot has told something, and when it
 * succeeded, unless a later time is there. A run that was skipped has told nothing: it may have been so
 * because this one was still under way. What somebody has made unreadable is written over.
 */
export function marksOf(run: LastRun): readonly Mark[] {
  const told = {
    set: '#s.#d.#n.lastRun = :run',
    condition:
      '(NOT attribute_type(#s.#d.#n.lastRun.slot, :text) OR #s.#d.#n.lastRun.slot <= :slot ' +
      'OR #s.#d.#n.lastRun.outcome = :skipped)',
    values: { ':run': run, ':slot': run.slot, ':skipped': 'skipped', ':text': 'S' },
  };
  const good = {
    set: '#s.#d.#n.lastGood = :at',
    condition: '(NOT attribute_type(#s.#d.#n.lastGood, :text) OR #s.#d.#n.lastGood <= :at)',
    values: { ':at': run.at, ':text': 'S' },
  };
  return run.outcome === 'succeeded' ? [told, good] : [told];
}

/** Writes all of these where each may be written; else none, and the condition does not hold. */
export function marksChange(destination: string, marks: readonly Mark[]): Change {
  const conditions = marks.map(({ condition }) => ` AND ${condition}`).join('');
  return {
    UpdateExpression: `SET ${marks.map(({ set }) => set).join(', ')}`,
    ConditionExpression: `attribute_exists(#id)${conditions}`,
    ExpressionAttributeNames: {
      '#id': SETTINGS_KEY,
      '#s': 'status',
      '#d': 'destinations',
      '#n': destination,
    },
    ExpressionAttributeValues: Object.assign({}, ...marks.map(({ values }) => values)),
  };
}
