import type { QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Nature } from './environment.ts';
import { holds, type Item } from './expression.ts';
import type { Write } from './tables.ts';

/** A sparse secondary index, which follows its table a moment later. */
export interface SparseIndex {
  follow(write: Write): void;
  query(input: QueryCommandInput): readonly Item[];
  /** Whether it has an item up to this value of its sort key, or any at all. */
  has(until?: string): boolean;
}

export interface IndexKeys {
  readonly partitionKey: string;
  readonly sortKey: string;
  /** Of the table; they are in the index, too. */
  readonly tableKeys: readonly string[];
}

const LAG_MS = 1_000;
const SLOW_LAG_MS = 20_000;

export function openSparseIndex(
  { timeline, random, faults }: Nature,
  { partitionKey, sortKey, tableKeys }: IndexKeys,
): SparseIndex {
  const entries = new Map<string, Item>();
  const latest = new Map<string, number>();
  let writes = 0;
  const order = (entry: Item) => String(entry[sortKey]);

  return {
    follow({ key, after }) {
      const isIn = after?.[partitionKey] !== undefined && after[sortKey] !== undefined;
      const kept = [partitionKey, sortKey, ...tableKeys].map((name) => [name, after?.[name]]);
      const entry: Item = Object.fromEntries(kept);
      const lag = random.between(0, LAG_MS) + (faults.strikes('slow') ? SLOW_LAG_MS : 0);
      writes += 1;
      const number = writes;
      timeline.after(lag, () => {
        // However late, the changes of an item come in their order.
        if ((latest.get(key) ?? 0) > number) return;
        latest.set(key, number);
        if (isIn) entries.set(key, entry);
        else entries.delete(key);
      });
    },
    query({ KeyConditionExpression = '', ...input }) {
      const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } =
        input;
      return [...entries.values()]
        .filter((entry) => holds(KeyConditionExpression, entry, { names, values }))
        .sort((a, b) => (order(a) < order(b) ? -1 : 1));
    },
    has: (until) =>
      [...entries.values()].some((entry) => until === undefined || order(entry) <= until),
  };
}
