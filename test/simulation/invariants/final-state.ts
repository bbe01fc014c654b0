import { writtenMaps } from '../../../functions/settings/written-maps.ts';
import type { Nature } from '../cloud/environment.ts';
import type { StagingBucket, Version } from '../cloud/staging-bucket.ts';
import type { Table } from '../cloud/tables.ts';
import type { Server } from '../destinations/server.ts';
import type { People } from '../people/people.ts';
import { type Deliveries, isSound, receiptKey } from './deliveries.ts';
import type { Judge } from './judge.ts';
import { readKey } from './runs-key.ts';

interface Places {
  readonly people: People;
  readonly staging: StagingBucket;
  readonly settings: Table;
  readonly runs: Table;
  readonly servers: ReadonlyMap<string, Server>;
  readonly deliveries: Deliveries;
}

/**
 * Looks at everything once the world is whole again, one more slot has passed and nothing is under way:
 * what is staged and wanted is delivered or the user is told why not, and nothing lies about.
 * @param tickedUntil when the last tick was due, epoch ms
 */
export function judgeFinalState({ judge }: Nature, world: Places, tickedUntil: number): void {
  const { people, settings } = world;
  for (const [userId, user] of people.users) {
    const active = people.active(userId);
    const row = settings.items.get(userId);
    const dueAt = row?.dueAt;
    const isPlanned = typeof dueAt === 'string' && Date.parse(dueAt) > tickedUntil - 120_000;
    if (active.length > 0 && !isPlanned) {
      judge.violate('everybody has a next run', `${userId} is due at ${dueAt}`);
    }
    for (const { path, values } of writtenMaps(row)) {
      if (typeof values.PASSWORD !== 'string') continue;
      judge.violate('no secret stays readable', `${userId} has a password in ${path.join('.')}`);
    }
    if (active.length === 0 && user.exists && dueAt !== undefined) {
      judge.violate('nobody runs who is paused', `${userId} is due at ${dueAt}`);
    }
    for (const name of active) {
      judgeArchives(judge, world, userId, name, user.backUp);
      judgeLeftovers(judge, world, `${userId}/${name}`);
    }
  }
}

function judgeArchives(
  judge: Judge,
  { deliveries, staging, settings, runs, servers }: Places,
  userId: string,
  name: string,
  backUp: 'everything' | readonly string[],
): void {
  const place = `${userId}/${name}`;
  const server = servers.get(place);
  const run = lastRun(settings.items.get(userId), name);
  for (const version of staging.current.values()) {
    const path = pathOf(version, userId);
    if (!server || path === undefined) continue;
    const [component = ''] = path.split('/');
    if (backUp !== 'everything' && !backUp.includes(component)) continue;
    const isThere = server.shelf.files.get(path)?.bytes.equals(version.bytes) === true;
    const hasReceipt = runs.items.has(receiptKey(place, version));
    if ((isThere || deliveries.hasUnseenParts(place, path)) && hasReceipt) continue;
    const mayFail = !isSound(version) || !server.canResume;
    if (mayFail && run.outcome === 'failed') continue;
    judge.violate(
      'everything staged is delivered or its failure told',
      `${place} ${isThere ? 'has' : 'has not'} ${path} v${version.number}, ${hasReceipt ? 'with' : 'without'} a receipt; ` +
        `the last run ${run.outcome}: ${run.message ?? ''}`,
    );
  }
}

function judgeLeftovers(judge: Judge, { runs, servers, settings }: Places, place: string): void {
  for (const leftover of servers.get(place)?.leftovers() ?? []) {
    const { what, by, isAllowed } = leftover;
    if (isAllowed) continue;
    judge.violate('nothing of ours lies about', `${what} is still at ${place}, made by ${by.name}`);
  }
  const [userId = '', name = ''] = place.split('/');
  const failed = lastRun(settings.items.get(userId), name).outcome === 'failed';
  for (const key of runs.items.keys()) {
    const { kind, place: of } = readKey(key);
    if (kind === 'CHECKPOINT' && of === place && !failed) {
      judge.violate('nothing of ours lies about', `a checkpoint is left: ${key}`);
    }
  }
}

function pathOf({ key }: Version, userId: string): string | undefined {
  return key.startsWith(`${userId}/`) ? key.slice(userId.length + 1) : undefined;
}

function lastRun(row: object | undefined, name: string): { outcome?: string; message?: string } {
  let found: unknown = row;
  for (const step of ['status', 'destinations', name, 'lastRun']) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, step) : undefined;
  }
  return typeof found === 'object' && found !== null ? found : {};
}
