import { keyHash, type StagedArchive } from '../core/archive.ts';
import type { JobName } from '../core/job.ts';
import { allShards, shardOf } from '../core/spread.ts';

/** Keys of the runs table. */
export const RUNS_KEYS = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Epoch seconds; DynamoDB removes expired items some time later, so readers check it too. */
  expiry: 'expiresAt',
} as const;

/**
 * The sparse index of jobs that somebody is to carry on, by when that has happened at the latest: a
 * job that has ended has neither key.
 */
export const SWEEP_INDEX = {
  name: 'sweep',
  partitionKey: 'sweepShard',
  sortKey: 'sweepAt',
} as const;

/**
 * Partitions of the sweep index, each good for about 1,000 writes a second; every hop of a job writes
 * twice. It may grow with a new version, never shrink: the sweep does not look above it.
 */
const SWEEP_SHARDS = 16;

/** Every partition of the sweep index. */
export const sweepShards = allShards(SWEEP_SHARDS, SWEEP_INDEX.name);

/** Where the sweep index has a job that is expected by this instant (ISO 8601 UTC). */
export function sweepKeys({ userId }: JobName, expectedBy: string) {
  return {
    [SWEEP_INDEX.partitionKey]: shardOf(userId, SWEEP_SHARDS, SWEEP_INDEX.name),
    [SWEEP_INDEX.sortKey]: expectedBy,
  };
}

/** The partition that holds everything about one user. */
export function userKey(userId: string): string {
  return `USER#${userId}`;
}

/** The item that says how a job stands. */
export function jobKey({ userId, slot, destination }: JobName) {
  return { pk: userKey(userId), sk: `JOB#${slot}#${destination}` };
}

/** What a job began with of its user's row. */
export function keptSettingsKey({ userId, slot, destination }: JobName) {
  return { pk: userKey(userId), sk: `SETTINGS#${slot}#${destination}` };
}

/**
 * The job whose item has this key.
 * @throws Error where it is the key of any other item
 */
export function readJobKey({ pk, sk }: { readonly pk: string; readonly sk: string }): JobName {
  const [, userId] = /^USER#([^#]+)$/.exec(pk) ?? [];
  const [, slot, destination] = /^JOB#([^#]+)#([^#]+)$/.exec(sk) ?? [];
  if (userId !== undefined && slot !== undefined && destination !== undefined) {
    return { userId, slot, destination };
  }
  throw new Error(`The sweep index has an item that is no job: ${pk} ${sk}`);
}

/** One destination of one user. */
export type Place = Pick<JobName, 'userId' | 'destination'>;

export function leaseKey(place: Place) {
  return { pk: userKey(place.userId), sk: `LEASE#${place.destination}` };
}

/** The mark that a job is cancelled. */
export function cancelKey({ userId, slot, destination }: JobName) {
  return { pk: userKey(userId), sk: `CANCEL#${slot}#${destination}` };
}

export function checkpointKey(place: Place, archive: Pick<StagedArchive, 'key'>) {
  return itemOf('CHECKPOINT', place, archive);
}

export function shownKey(place: Place, archive: Pick<StagedArchive, 'key'>) {
  return itemOf('SHOWN', place, archive);
}

export function receiptKey(place: Place, archive: Pick<StagedArchive, 'key' | 'etag'>) {
  const { pk, sk } = itemOf('RECEIPT', place, archive);
  return { pk, sk: `${sk}#${archive.etag}` };
}

/** What a user had delivered within a month, such as `2026-11`. */
export function usageKey(userId: string, month: string) {
  return { pk: userKey(userId), sk: `USAGE#${month}` };
}

function itemOf(kind: string, place: Place, { key }: Pick<StagedArchive, 'key'>) {
  return { pk: userKey(place.userId), sk: `${kind}#${place.destination}#${keyHash(key)}` };
}
