import { setTimeout as wait } from 'node:timers/promises';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Upload } from '@aws-sdk/lib-storage';
import { z } from 'zod';
import { ARCHIVE_FILE } from './archive.ts';
import type { Chance } from './chance.ts';
import type { CrashFerry } from './ferry.ts';
import { findFaults, readState } from './findings.ts';
import { openHazards } from './hazards.ts';
import type { CrashPlace, Place } from './places/place.ts';
import { lineFor } from './short-waits.ts';
import type { Kill, Trouble } from './trouble.ts';
import { watchName } from './visible.ts';

/** How one archive got through. */
export interface RoundResult {
  readonly type: string;
  readonly userId: string;
  readonly trouble: Trouble;
  /** What a person would complain of; empty when all is well. */
  readonly failures: readonly string[];
  /** Every step that was taken, in the order of its first time. */
  readonly steps: readonly string[];
  readonly killed: readonly Kill[];
  /** Workers killed at random moments. */
  readonly surprises: number;
  readonly restarts: number;
  readonly cuts: number;
  readonly lost: number;
  readonly late: number;
  readonly hops: number;
  /** Bytes that went over the wire to the destination, of everything. */
  readonly sentBytes: number;
  /** The longest time from a mishap to the next step that had effect, in ms. */
  readonly recoveryMs: number;
  readonly ms: number;
}

export interface RoundOptions {
  readonly ferry: CrashFerry;
  readonly place: Place | CrashPlace;
  /** Names the user and the folder at the destination. */
  readonly userId: string;
  readonly archive: Buffer;
  readonly trouble: Trouble;
  readonly chance: Chance;
  /** After so many ms the round has failed; eight minutes unless given. */
  readonly patienceMs?: number;
}

/** An archive that was there before, of another size. */
const OLDER = Buffer.alloc(1024 ** 2 + 5, 'older');
const PATIENCE_MS = 480_000;
const LOOK_MS = 250;
/** What a worker does after the job's end, until its message is done with. */
const LAST_STEPS_MS = 600;

const planned = z.object({ status: z.object({ nextRun: z.coerce.date() }) });

/** Delivers one archive for a user of its own while things go wrong, then looks at everything. */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { ferry: crash, place, userId, archive, trouble, chance } = options;
  const { ferry } = crash;
  const startedAt = performance.now();
  const hazards = openHazards({ crash, place, userId, trouble, chance });
  const way = await place.open(userId, hazards.atDestination);
  way.wire.set({ bytesPerSecond: lineFor(crash.functionSeconds, place.bytesAtOnce) });
  const failures: string[] = [];
  await using staging = new AsyncDisposableStack();
  try {
    const older = chance.next() < 0.5 ? OLDER : undefined;
    if (older) await way.put(ARCHIVE_FILE, older);
    crash.watch(userId, hazards.atOwn);
    const Key = `${userId}/${ARCHIVE_FILE}`;
    const staged = { Bucket: ferry.stagingBucket, Key, Body: archive };
    await new Upload({ client: ferry.services.s3, params: staged, partSize: 8 * 1024 ** 2 }).done();
    staging.defer(async () => {
      await ferry.services.s3.send(new DeleteObjectCommand({ Bucket: staged.Bucket, Key }));
    });
    using visible = watchName(way, ARCHIVE_FILE, [undefined, older?.length, archive.length]);
    hazards.follow(way.wire);
    await start(crash, userId, { type: place.type, settings: way.settings });
    const isOver = async () => (await readState(ferry, userId)).isOver;
    const { patienceMs = PATIENCE_MS } = options;
    if (!(await comesTrue(isOver, patienceMs))) failures.push('not done in time');
    await comesTrue(async () => hazards.isDone(), LAST_STEPS_MS);
    await hazards.settled();
    crash.watch(userId, undefined);
    failures.push(...visible.complaints());
    failures.push(...(await findFaults({ ferry, way, userId, archive })));
  } catch (error) {
    failures.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  } finally {
    crash.watch(userId, undefined);
    await way.close();
  }
  const { hops } = await readState(ferry, userId);
  return {
    ...{ type: place.type, userId, trouble, failures, hops },
    ...hazards.tell(),
    sentBytes: way.wire.sentBytes,
    ms: performance.now() - startedAt,
  };
}

/** Writes the user's row and lets the schedule tick at the very minute that Ferry planned. */
async function start(
  crash: CrashFerry,
  userId: string,
  destination: { readonly type: string; readonly settings: object },
): Promise<void> {
  const { ferry } = crash;
  // A tick takes everybody who is due by then, and a row that was moved on is due in another year.
  using _alone = await crash.startAlone();
  const { dynamodb, name: TableName } = ferry.settingsTable;
  const documents = DynamoDBDocumentClient.from(dynamodb);
  // Once a year, so that the tick of one round finds nobody else twice.
  const spec = { v: 1, schedule: { cron: '0 0 1 1 *' }, destinations: { place: destination } };
  await documents.send(new PutCommand({ TableName, Item: { userId, spec } }));
  let plan: z.output<typeof planned> | undefined;
  const isPlanned = async () => {
    const { Item } = await documents.send(new GetCommand({ TableName, Key: { userId } }));
    plan = planned.safeParse(Item).data;
    return plan !== undefined;
  };
  if (!(await comesTrue(isPlanned, PATIENCE_MS)) || !plan) throw new Error('The row was refused.');
  await ferry.pipeline.tick(plan.status.nextRun);
}

async function comesTrue(question: () => Promise<boolean>, patienceMs: number): Promise<boolean> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    if (await question()) return true;
    await wait(LOOK_MS);
  }
  return false;
}
