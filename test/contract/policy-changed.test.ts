import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FerryEvent } from '../../functions/core/event.ts';
import { type SettingsWorld, startSettingsWorld } from './settings-world.ts';

const POLICY = '#policy';
const USERS = Array.from({ length: 120 }, (_, number) => `user-${number}`);

let world: SettingsWorld;
let dynamo: SettingsWorld['dynamo'];
let events: FerryEvent[];

beforeAll(async () => {
  world = await startSettingsWorld();
  ({ dynamo } = world);
});
afterAll(() => world.stop());
beforeEach(async () => {
  events = [];
  await remove(POLICY);
  for (const userId of USERS) await remove(userId);
});

const TableName = 'settings';
const put = (userId: string, attributes: object) =>
  dynamo.documents.send(new PutCommand({ TableName, Item: { userId, ...attributes } }));
const remove = (userId: string) =>
  dynamo.documents.send(new DeleteCommand({ TableName, Key: { userId } }));
const item = async (userId: string) =>
  (await dynamo.documents.send(new GetCommand({ TableName, Key: { userId } }))).Item;

/** Changes `policy` alone, as the console does. */
const write = (policy: unknown) =>
  dynamo.documents.send(
    new UpdateCommand({
      TableName,
      Key: { userId: POLICY },
      UpdateExpression: 'SET policy = :policy',
      ExpressionAttributeValues: { ':policy': policy },
    }),
  );

const cloud = {
  type: 's3',
  settings: {
    AWS_S3_BUCKET_NAME: 'backups',
    AWS_ACCESS_KEY_ID: 'AKIA',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT: 's3.example.org',
  },
};
const nas = {
  type: 'ssh',
  settings: { SSH_HOST_NAME: 'nas.example.org', SSH_USER: 'ada', SSH_PASSWORD: 'tr0ub4dor' },
};
const spec = { v: 1, destinations: { cloud, nas } };

async function change(...ids: string[]) {
  const { events: raised, failed } = await world.change(ids);
  events.push(...raised);
  return failed;
}

describe('a policy that is written', () => {
  it('asks for a row that cannot be looked at by itself, and comes to its end', async () => {
    await put('user-1', { spec });
    const unreadable = { pk: 'USER#user-1', sk: 'JOB#2026-11-22T00:00:00Z#nas' };
    const runs = { TableName: dynamo.runsTable };
    await dynamo.documents.send(new PutCommand({ ...runs, Item: { ...unreadable, data: 'none' } }));
    await write({ v: 1, types: ['s3'] });
    await put('user-2', { spec });
    expect([...(await change(POLICY))]).toEqual([]);
    expect(await item(POLICY)).toMatchObject({
      inForce: { v: 1, types: ['s3'] },
      status: { state: 'valid' },
    });
    expect(await item('user-2')).toMatchObject({ status: { state: 'invalid' } });
    const asked = await item('user-1');
    expect(asked).toMatchObject({ status: { askedAt: expect.any(String) } });
    // Tried again and again, it writes nothing that would be one more change.
    expect([...(await change('user-1', POLICY))]).toEqual(['user-1']);
    expect(await item('user-1')).toEqual(asked);
    await write({ v: 1, tpyes: ['s3', 'ssh'] });
    expect(await world.openPolicies().read()).toMatchObject({ types: ['s3'] });
    await dynamo.documents.send(new DeleteCommand({ ...runs, Key: unreadable }));
    expect([...(await change('user-1'))]).toEqual([]);
    expect(await item('user-1')).toMatchObject({ status: { state: 'invalid' } });
  });

  it('is held against every row: those that ask for more leave the index, and come back with it', async () => {
    for (const userId of USERS) await put(userId, { spec });
    await change(...USERS);
    expect(await item('user-7')).toMatchObject({ status: { state: 'valid' } });

    await write({ v: 1, types: ['s3'] });
    expect(await change(POLICY)).toEqual(new Set());
    for (const userId of USERS) {
      const row = await item(userId);
      expect(row).toMatchObject({
        status: {
          state: 'invalid',
          problems: [{ path: 'spec.destinations.nas.type', rule: 'types' }],
        },
      });
      expect(row).not.toHaveProperty('dueAt');
    }
    expect(events.map(({ type }) => type)).toEqual(USERS.map(() => 'Settings refused'));
    expect(new Set(events.map(({ id }) => id)).size).toBe(USERS.length);

    await write({ v: 1 });
    await change(POLICY);
    for (const userId of USERS) {
      expect(await item(userId)).toMatchObject({
        dueAt: expect.any(String),
        status: { state: 'valid', problems: [] },
      });
    }
  });

  it('comes to rest after its own write', async () => {
    await put('user-1', { spec });
    await write({ v: 1, mostDestinations: 1 });
    await change(POLICY);
    await change('user-1', POLICY);
    const settled = [await item('user-1'), await item(POLICY)];
    events = [];
    await change('user-1', POLICY);
    expect([await item('user-1'), await item(POLICY)]).toEqual(settled);
    expect(events).toEqual([]);
  });

  it('that cannot be used changes nothing for users, and says what is wrong with it', async () => {
    await put('user-1', { spec });
    await write({ v: 1, mostDestinations: 2 });
    await change('user-1', POLICY);
    const before = await item('user-1');
    await write({ v: 1, mostDestinations: 1, typs: ['ssh'] });
    expect(await change(POLICY)).toEqual(new Set());
    expect(await item('user-1')).toEqual(before);
    expect(await item(POLICY)).toMatchObject({
      inForce: { v: 1, mostDestinations: 2 },
      status: {
        state: 'invalid',
        problems: [{ path: 'policy.typs', remedy: expect.stringContaining('types?') }],
      },
    });
  });

  it('that is deleted leaves the defaults, by which every row is looked at', async () => {
    const plain = { ...cloud, settings: { ...cloud.settings, AWS_ENDPOINT_PROTO: 'http' } };
    await put('user-1', { spec: { v: 1, destinations: { plain } } });
    await write({ v: 1, plainHttp: true });
    await change('user-1', POLICY);
    expect(await item('user-1')).toMatchObject({ status: { state: 'valid' } });
    await remove(POLICY);
    await change(POLICY);
    expect(await item('user-1')).toMatchObject({
      status: {
        state: 'invalid',
        problems: [{ path: 'spec.destinations.plain.settings.AWS_ENDPOINT', rule: 'plainHttp' }],
      },
    });
  });

  it('is looked at again where a row could not be', async () => {
    await put('user-1', { spec });
    await write({ v: 1, types: ['s3'] });
    const { update } = dynamoThatFails();
    expect(await update(() => change(POLICY))).toEqual(new Set([POLICY]));
    expect(await item(POLICY)).not.toHaveProperty('status');
    expect(await change(POLICY)).toEqual(new Set());
    expect(await item('user-1')).toMatchObject({ status: { state: 'invalid' } });
    expect(await item(POLICY)).toMatchObject({ status: { state: 'valid' } });
  });
});

/** Lets every update fail for a while. */
function dynamoThatFails() {
  return {
    async update<T>(work: () => Promise<T>): Promise<T> {
      const name = 'fails';
      dynamo.documents.middlewareStack.add(
        (next, context) => async (given) => {
          if (context.commandName === 'UpdateItemCommand') throw new Error('out of order');
          return next(given);
        },
        { step: 'initialize', name },
      );
      try {
        return await work();
      } finally {
        dynamo.documents.middlewareStack.remove(name);
      }
    },
  };
}
