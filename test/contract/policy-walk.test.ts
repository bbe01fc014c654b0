import {
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SettingsWorld, startSettingsWorld } from './settings-world.ts';

/** A walk over more rows than one invocation has time for. */
const POLICY = '#policy';
const USERS = Array.from({ length: 170 }, (_, number) => `user-${number}`);
/** No time left: a page for each invocation. */
const HURRIED = { now: () => 0, remaining: () => 0 };

let world: SettingsWorld;

beforeAll(async () => {
  world = await startSettingsWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  await remove(POLICY);
  for (let at = 0; at < USERS.length; at += 25) {
    const rows = USERS.slice(at, at + 25).map((userId) => ({
      PutRequest: { Item: { userId, spec } },
    }));
    await world.dynamo.documents.send(new BatchWriteCommand({ RequestItems: { settings: rows } }));
  }
});

const nas = {
  type: 'ssh',
  settings: { SSH_HOST_NAME: 'nas.example.org', SSH_USER: 'ada', SSH_PASSWORD: 'tr0ub4dor' },
};
const spec = { v: 1, destinations: { nas } };

const TableName = 'settings';
const remove = (userId: string) =>
  world.dynamo.documents.send(new DeleteCommand({ TableName, Key: { userId } }));
const item = async (userId: string) =>
  (await world.dynamo.documents.send(new GetCommand({ TableName, Key: { userId } }))).Item;
const write = (policy: unknown) =>
  world.dynamo.documents.send(
    new UpdateCommand({
      TableName,
      Key: { userId: POLICY },
      UpdateExpression: 'SET policy = :policy',
      ExpressionAttributeValues: { ':policy': policy },
    }),
  );
const step = async () => {
  const { failed } = await world.change([POLICY], HURRIED);
  return failed;
};

/** As the stream does: a change of the item calls once more. The number of calls. */
async function walk(most = 20): Promise<number> {
  for (let calls = 1; calls <= most; calls++) {
    const before = await item(POLICY);
    await step().catch(() => undefined);
    if (JSON.stringify(await item(POLICY)) === JSON.stringify(before)) return calls;
  }
  throw new Error(`No end after ${most} calls.`);
}

async function judged(): Promise<ReadonlyMap<unknown, number>> {
  const states = new Map<unknown, number>();
  for (const userId of USERS) {
    const state = (await item(userId))?.status?.state;
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  return states;
}

/** Lets the n-th update of the policy item be the last thing that the process does. */
async function withDeath(atWrite: number, when: 'before' | 'after', work: () => Promise<unknown>) {
  const { middlewareStack } = world.dynamo.documents;
  let writes = 0;
  let died = false;
  middlewareStack.add(
    (next, context) => async (given) => {
      if (context.commandName !== 'UpdateItemCommand') return next(given);
      if (died) throw new Error('dead');
      writes += 1;
      if (writes !== atWrite) return next(given);
      died = true;
      if (when === 'after') await next(given);
      throw new Error('dead');
    },
    { step: 'initialize', name: 'death' },
  );
  try {
    await work();
  } finally {
    middlewareStack.remove('death');
  }
  return died;
}

describe('a policy that is held against more rows than fit into one invocation', () => {
  it('goes on from where it is, call by call, until the last row', async () => {
    await write({ v: 1, types: ['s3'] });
    expect([...(await step())]).toEqual([]);
    expect(await item(POLICY)).toMatchObject({
      inForce: { types: ['s3'] },
      walk: { after: expect.any(String), rows: expect.any(Number) },
    });
    expect(await item(POLICY)).not.toHaveProperty('status');
    expect((await judged()).get('invalid')).toBeLessThan(USERS.length / 2);
    const calls = await walk();
    expect(calls).toBeGreaterThanOrEqual(4);
    expect(calls).toBeLessThanOrEqual(6);
    expect(await judged()).toEqual(new Map([['invalid', USERS.length]]));
    const settled = await item(POLICY);
    expect(settled).toMatchObject({ status: { state: 'valid' } });
    expect(settled).not.toHaveProperty('walk');
  });

  it('is done in one call where there is time', async () => {
    await write({ v: 1, types: ['s3'] });
    await world.change([POLICY]);
    expect(await item(POLICY)).toMatchObject({ status: { state: 'valid' } });
    expect(await judged()).toEqual(new Map([['invalid', USERS.length]]));
  });

  it('goes on behind a user who is removed meanwhile', async () => {
    await write({ v: 1, types: ['s3'] });
    await step();
    const at: unknown = (await item(POLICY))?.walk?.after;
    if (typeof at !== 'string') throw new Error('No position.');
    await remove(at);
    await walk();
    expect((await judged()).get('invalid')).toBe(USERS.length - 1);
  });

  it('begins anew with a new policy, also with the one that was settled before', async () => {
    await write({ v: 1, types: ['ssh'] });
    await walk();
    expect(await judged()).toEqual(new Map([['valid', USERS.length]]));
    await write({ v: 1, types: ['s3'] });
    await step();
    await step();
    expect((await judged()).get('invalid')).toBeGreaterThan(0);
    await write({ v: 1, types: ['ssh'] });
    await walk();
    expect(await judged()).toEqual(new Map([['valid', USERS.length]]));
  });

  it('walks by the defaults when it is removed, and comes to rest', async () => {
    await write({ v: 1, types: ['s3'] });
    await walk();
    await remove(POLICY);
    expect(await walk()).toBeGreaterThanOrEqual(4);
    expect(await judged()).toEqual(new Map([['valid', USERS.length]]));
    expect(await world.openPolicies().look()).toMatchObject({ problems: [] });
    expect((await world.openPolicies().look()).written).toBeUndefined();
  });

  it('goes on although its position cannot be read', async () => {
    await write({ v: 1, types: ['s3'] });
    await world.dynamo.documents.send(
      new PutCommand({
        TableName,
        Item: { userId: POLICY, policy: { v: 1, types: ['s3'] }, walk: 'somewhere' },
      }),
    );
    await walk();
    expect(await judged()).toEqual(new Map([['invalid', USERS.length]]));
  });
});

describe('two calls at once', () => {
  it('move the walk one step, and the one that loses writes nothing', async () => {
    await write({ v: 1, types: ['s3'] });
    await step();
    const states = await Promise.all([world.openPolicies().look(), world.openPolicies().look()]);
    const moves = await Promise.all(
      states.map((state, at) =>
        world
          .openPolicies()
          .moveOn(state, { policyHash: state.hash, after: `user-${at}`, rows: 50 + at }),
      ),
    );
    expect(moves.filter((moved) => moved)).toHaveLength(1);
    const [stale] = states;
    if (stale === undefined) throw new Error('No state.');
    const standing = await item(POLICY);
    expect(await world.openPolicies().settle(stale)).toBe(false);
    expect(await world.openPolicies().begin(stale)).toBeUndefined();
    expect(await item(POLICY)).toEqual(standing);
  });

  it('end with every row judged, in no more calls than one after the other', async () => {
    await write({ v: 1, types: ['s3'] });
    let rounds = 0;
    while ((await item(POLICY))?.status === undefined) {
      rounds += 1;
      expect(rounds).toBeLessThan(10);
      const failed = await Promise.all([step(), step(), step()]);
      expect(failed.flatMap((ids) => [...ids])).toEqual([]);
    }
    expect(await judged()).toEqual(new Map([['invalid', USERS.length]]));
  });
});

describe('a walk that is killed', () => {
  it.each(['before', 'after'] as const)(
    'at any write, %s it, is taken up by the next call',
    async (when) => {
      let type = 'ssh';
      await write({ v: 1, types: [type] });
      await walk();
      // Of a call: begun, the rows of a page, position.
      for (const atWrite of [1, 30, 51, 52]) {
        type = type === 'ssh' ? 's3' : 'ssh';
        await write({ v: 1, types: [type] });
        expect(await withDeath(atWrite, when, step)).toBe(true);
        await walk();
        const verdict = type === 'ssh' ? 'valid' : 'invalid';
        expect(await judged()).toEqual(new Map([[verdict, USERS.length]]));
        const settled = await item(POLICY);
        expect(settled).toMatchObject({ status: { state: 'valid' } });
        expect(settled).not.toHaveProperty('walk');
      }
    },
  );

  it('at its last write is settled by the next call', async () => {
    for (const when of ['before', 'after'] as const) {
      await remove(POLICY);
      await write({ v: 1, types: ['s3'] });
      while ((await item(POLICY))?.walk?.rows !== USERS.length) {
        const before = await item(POLICY);
        await step();
        expect(await item(POLICY)).not.toEqual(before);
      }
      expect(await withDeath(1, when, step)).toBe(true);
      await walk();
      expect(await item(POLICY)).toMatchObject({ status: { state: 'valid' } });
    }
  });
});
