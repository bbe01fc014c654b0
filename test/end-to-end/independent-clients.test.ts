import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { destinationTypes } from '../../functions/destinations/registry.ts';
import { DeliveryLog } from '../../local/delivery-log.ts';
import { type LocalFerry, startLocalFerry } from '../../local/local-ferry.ts';
import { sampleBytes } from '../contract/sample.ts';
import { type ClientPlace, startPlaces } from './client-places.ts';

/** More than one part of every type, and a name that protocols spell differently. */
const ARCHIVE = sampleBytes(37 * 1024 ** 2 + 11, 'for everybody');
const FILE = 'html/Büro #1 100%.tar';
const USER = 'hana';
const { signal } = new AbortController();
const lines: string[] = [];

let scratch: string;
let ferry: LocalFerry;
let places: readonly ClientPlace[];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ferry-clients-'));
  const say = (line: string) => void lines.push(line);
  [ferry, places] = await Promise.all([
    startLocalFerry({ users: [], scratch, signal, log: new DeliveryLog(), say }),
    startPlaces(join(scratch, 'clients')),
  ]);
}, 300_000);

afterAll(async () => {
  await ferry?.[Symbol.asyncDispose]();
  await Promise.all((places ?? []).map((place) => place.stop()));
  await rm(scratch, { recursive: true, force: true });
});

it('one archive reaches all types, and the usual client of each reads the same bytes', async () => {
  expect(places.map(({ type }) => type).sort()).toEqual(
    destinationTypes.map(({ type }) => type).sort(),
  );
  const staged = { Bucket: ferry.stagingBucket, Key: `${USER}/${FILE}`, Body: ARCHIVE };
  // fauxqs takes bodies of up to 11 MiB.
  const partSize = 8 * 1024 ** 2;
  await new Upload({ client: ferry.services.s3, params: staged, partSize }).done();
  await runFor(Object.fromEntries(places.map(({ type, settings }) => [type, { type, settings }])));

  const found = await Promise.all(
    places.map(async (place) => [place.type, place.client, sha256Of(await place.read(FILE))]),
  );
  const sha256 = sha256Of(ARCHIVE);
  expect(found).toEqual(places.map(({ type, client }) => [type, client, sha256]));
}, 300_000);

/** Writes the user's row, lets the schedule tick and waits until every run has ended well. */
async function runFor(destinations: Readonly<Record<string, unknown>>): Promise<void> {
  const { dynamodb, name: TableName } = ferry.settingsTable;
  const documents = DynamoDBDocumentClient.from(dynamodb);
  const spec = { v: 1, schedule: { cron: '* * * * *' }, destinations };
  await documents.send(new PutCommand({ TableName, Item: { userId: USER, spec } }));
  const statusOf = async () => {
    const { Item } = await documents.send(new GetCommand({ TableName, Key: { userId: USER } }));
    return Item?.status;
  };
  while ((await statusOf()) === undefined) await wait(200);
  expect(await statusOf()).toMatchObject({ state: 'valid' });
  await ferry.pipeline.tick(new Date(Date.now() + 120_000));
  while ((await ferry.pipeline.countMessages()) > 0) await wait(200);
  const good = Object.keys(destinations).map((name) => [
    name,
    expect.objectContaining({ lastRun: expect.objectContaining({ outcome: 'succeeded' }) }),
  ]);
  expect((await statusOf()).destinations, lines.join('\n')).toEqual(Object.fromEntries(good));
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
