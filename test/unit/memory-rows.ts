import { z } from 'zod';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Parsed } from '../../functions/core/problem.ts';
import type { RowPath, Sealing, SettingsRows } from '../../functions/core/user.ts';
import type { DueRows } from '../../functions/enqueue-due/ports.ts';
import { readRow } from '../../functions/settings/row.ts';
import { putSealings } from '../../functions/settings/row-secrets.ts';

const sealedItem = z.object({ spec: z.unknown() });

export interface Item {
  readonly userId: string;
  readonly spec: unknown;
  readonly status?: {
    readonly specHash?: string | undefined;
    readonly problems?: readonly unknown[];
  };
  readonly dueShard?: string;
  readonly dueAt?: string;
}

/** The settings table in memory, with the conditions of the real one; `items` is what is stored. */
export function openMemoryRows(pageSize = 2) {
  const items = new Map<string, Item>();
  let writes = 0;
  const rows: SettingsRows<string> & DueRows = {
    async *due(shard, until) {
      const due = [...items.values()]
        .flatMap(({ userId, dueShard, dueAt }) =>
          dueShard === shard && dueAt !== undefined && dueAt <= until
            ? [{ userId, at: dueAt }]
            : [],
        )
        .sort((a, b) => a.at.localeCompare(b.at));
      for (let at = 0; at < due.length; at += pageSize) yield due.slice(at, at + pageSize);
    },
    async read(userId) {
      const item = items.get(userId);
      return item && readRow(item, parseAnything, NO_LIMITS);
    },
    async save(userId, seen, { due, sealings = [], ...told }) {
      const item = items.get(userId);
      if (!item || item.dueAt !== seen?.at) return false;
      const isOther = ({ path, was }: Sealing) => valueAt(item, path) !== was();
      if (sealings.some(isOther)) return false;
      writes += 1;
      const keys = due ? { dueShard: due.shard, dueAt: due.at } : {};
      const { spec } = sealedItem.parse(putSealings(item, sealings));
      items.set(userId, { userId, spec, status: { ...item.status, ...told }, ...keys });
      return true;
    },
  };
  return { items, rows, writes: () => writes };
}

function valueAt(within: unknown, path: RowPath): unknown {
  return path.reduce(
    (value, step) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined,
    within,
  );
}

/** Takes any destination, of any type, for what its type is called. */
export function parseAnything(type: string): Parsed<string> {
  return { ok: true, value: type };
}

/** A spec that runs every day at `hour`, to destinations of these names. */
export function dailySpec(hour: number, ...names: string[]) {
  const destinations = names.map((name) => [name, { type: 'ssh', settings: {} }] as const);
  return {
    v: 1,
    schedule: { cron: `0 ${hour} * * *` },
    destinations: Object.fromEntries(destinations),
  };
}

/** Remembers what was logged. */
export function openMemoryLog() {
  const lines: { readonly message: string; readonly fields: Record<string, unknown> }[] = [];
  const note = (message: string, fields: Record<string, unknown>) => {
    lines.push({ message, fields });
  };
  return { lines, info: note, warn: note };
}
