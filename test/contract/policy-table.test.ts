import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashContent } from '../../functions/core/content-hash.ts';
import { DEFAULT_POLICY } from '../../functions/core/policy.ts';
import type { Problem } from '../../functions/core/problem.ts';
import { openPolicyTable } from '../../functions/policy/table.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';

const TYPES = ['s3', 'ssh'];
const Key = { userId: '#policy' };

let dynamo: EmbeddedDynamoDb;
let now = Date.parse('2026-11-25T03:00:00Z');
let broken: (readonly Problem[])[];

beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  broken = [];
});
afterEach(() => dynamo.documents.send(new DeleteCommand({ TableName: dynamo.settingsTable, Key })));

/** As another process would open it. */
const open = () =>
  openPolicyTable(
    dynamo.documents,
    dynamo.settingsTable,
    TYPES,
    (problems) => void broken.push(problems),
    () => now,
  );
const item = async () =>
  (await dynamo.documents.send(new GetCommand({ TableName: dynamo.settingsTable, Key }))).Item;

/** As an operator does who has the console and nothing else. */
const write = (policy: unknown) =>
  dynamo.documents.send(
    new UpdateCommand({
      TableName: dynamo.settingsTable,
      Key,
      UpdateExpression: 'SET policy = :policy',
      ExpressionAttributeValues: { ':policy': policy },
    }),
  );

describe('the policy item', () => {
  it('need not be there: the defaults count', async () => {
    expect(await open().read()).toEqual(DEFAULT_POLICY);
    expect(broken).toEqual([]);
  });

  it('is written by the command line only when it can be used', async () => {
    const table = open();
    expect(await table.read()).toEqual(DEFAULT_POLICY);
    expect(await table.put({ v: 1, mostDestination: 2 })).toMatchObject({
      ok: false,
      problems: [{ path: 'policy.mostDestination', remedy: /Did you mean mostDestinations/ }],
    });
    expect(await item()).toBeUndefined();
    expect(await table.put({ v: 1, mostDestinations: 2, types: ['ssh'] })).toMatchObject({
      ok: true,
    });
    expect(await table.read()).toEqual({ ...DEFAULT_POLICY, mostDestinations: 2, types: ['ssh'] });
  });

  it('is read at most once a minute by one process', async () => {
    const table = open();
    await write({ v: 1, plainHttp: true });
    expect(await table.read()).toMatchObject({ plainHttp: true });
    await write({ v: 1 });
    now += 59_000;
    expect(await table.read()).toMatchObject({ plainHttp: true });
    now += 1_001;
    expect(await table.read()).toMatchObject({ plainHttp: false });
    await write({ v: 1, insecureTls: true });
    table.forget();
    expect(await table.read()).toMatchObject({ insecureTls: true });
  });

  it('is told what was made of it, once', async () => {
    const table = open();
    await write({ v: 1, mostDestinations: 2 });
    const state = await table.look();
    expect(state.checkedHash).not.toBe(state.hash);
    const begun = await table.begin(state);
    expect(begun && (await table.settle(begun))).toBe(true);
    expect(await item()).toMatchObject({
      policy: { v: 1, mostDestinations: 2 },
      inForce: { v: 1, mostDestinations: 2 },
      status: { v: 1, state: 'valid', problems: [] },
    });
    const settled = await table.look();
    expect(settled.checkedHash).toBe(settled.hash);
    expect(hashContent((await item())?.inForce)).toBe(settled.hash);
  });
});

describe('a policy that cannot be used', () => {
  it('leaves the last good one in force, in every process, and is told of', async () => {
    const table = open();
    await write({ v: 1, mostDestinations: 2, plainHttp: true });
    await table.begin(await table.look());
    await write({ v: 1, mostDestinations: 3, plainHtp: true });
    expect(await open().read()).toMatchObject({ mostDestinations: 2, plainHttp: true });
    expect(broken).toMatchObject([[{ path: 'policy.plainHtp', remedy: /plainHttp/ }]]);
    await table.begin(await table.look());
    expect(await table.settle(await table.look())).toBe(true);
    expect(await item()).toMatchObject({
      inForce: { mostDestinations: 2, plainHttp: true },
      status: { state: 'invalid', problems: [{ path: 'policy.plainHtp' }] },
    });
    expect(await open().read()).toMatchObject({ mostDestinations: 2, plainHttp: true });
  });

  it.each([
    ['was never good', { ...Key, policy: 'free for all' }],
    ['is misspelt in its item', { ...Key, polciy: { v: 1 } }],
    ['replaced what was in force', { ...Key, policy: { v: 2 }, inForce: 'nonsense', status: 7 }],
  ])('counts as the defaults where it %s', async (_what, Item) => {
    await dynamo.documents.send(new PutCommand({ TableName: dynamo.settingsTable, Item }));
    expect(await open().read()).toEqual(DEFAULT_POLICY);
    expect(broken).toHaveLength(1);
  });

  it('is none where nothing but what the pipeline notes is in its item', async () => {
    for (const rest of [{}, { walk: { policyHash: 'a', rows: 1 } }, { status: { v: 1 } }]) {
      const Item = { ...Key, ...rest };
      await dynamo.documents.send(new PutCommand({ TableName: dynamo.settingsTable, Item }));
      expect(await open().look()).toMatchObject({ policy: DEFAULT_POLICY, problems: [] });
    }
    expect(broken).toEqual([]);
  });

  it('does not come back after it was deleted meanwhile', async () => {
    const table = open();
    await write({ v: 1 });
    const state = await table.look();
    await dynamo.documents.send(new DeleteCommand({ TableName: dynamo.settingsTable, Key }));
    expect(await table.begin(state)).toBeUndefined();
    expect(await table.moveOn(state, { policyHash: state.hash, after: 'ada', rows: 1 })).toBe(
      false,
    );
    expect(await table.settle(state)).toBe(false);
    expect(await item()).toBeUndefined();
  });
});
