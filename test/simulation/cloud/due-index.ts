import type { QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { DUE_INDEX, SETTINGS_KEY } from '../../../functions/settings/keys.ts';
import type { Nature } from './environment.ts';
import { holds, type Item } from './expression.ts';
import type { Write } from './tables.ts';

/** The index of users who are due, which follows its table a moment later. */
export interface DueIndex {
  follow(write: Write): void;
  query(input: QueryCommandInput): readonly Item[];
  /** Whether anybody may be due. */
  isDue(until: string): boolean;
}

const LAG_MS = 1_000;

export function openDueIndex({ timeline, random, faults }: Nature): DueIndex {
  const entries = new Map<string, Item>();
  const latest = new Map<string, number>();
  let writes = 0;
  return {
    follow({ key, after }) {
      const shard = after?.[DUE_INDEX.partitionKey];
      const at = after?.[DUE_INDEX.sortKey];
      const entry =
        shard === undefined || at === undefined
          ? undefined
          : { [SETTINGS_KEY]: key, [DUE_INDEX.partitionKey]: shard, [DUE_INDEX.sortKey]: at };
      const lag = random.between(0, LAG_MS) + (faults.strikes('slow') ? 20_000 : 0);
      writes += 1;
      const order = writes;
      timeline.after(lag, () => {
        // However late, a row's changes come in their order.
        if ((latest.get(key) ?? 0) > order) return;
        latest.set(key, order);
        if (entry) entries.set(key, entry);
        else entries.delete(key);
      });
    },
    query({ KeyConditionExpression = '', ...input }) {
      const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } =
        input;
      return [...entries.values()]
        .filter((entry) => holds(KeyConditionExpression, entry, { names, values }))
        .sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
    },
    isDue: (until) => [...entries.values()].some((entry) => textOf(entry) <= until),
  };
}

function textOf(entry: Item): string {
  return `${entry[DUE_INDEX.sortKey]}`;
}
