import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFindings } from '../../functions/runs/findings.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';

const NAS = { userId: 'alice', destination: 'nas' };
const DAY_MS = 24 * 3600 * 1000;

describe('what a driver found out about its server', () => {
  let dynamo: EmbeddedDynamoDb;
  let now = Date.parse('2026-11-24T00:00:00Z');

  beforeAll(async () => {
    dynamo = await startDynamoDb();
  });
  afterAll(() => dynamo.stop());

  it('is known to the next run of this destination, and to no other', async () => {
    const findings = openFindings(dynamo.documents, dynamo.runsTable, () => now);
    expect(await findings.recall(NAS)).toBeUndefined();
    await findings.remember(NAS, { writes: 'put-range' });
    await findings.remember(NAS, { writes: 'chunks' });
    expect(await findings.recall(NAS)).toEqual({ writes: 'chunks' });
    expect(await findings.recall({ ...NAS, destination: 'cloud' })).toBeUndefined();
    expect(await findings.recall({ ...NAS, userId: 'bob' })).toBeUndefined();
  });

  it('is forgotten after a month, when the server may have become another one', async () => {
    const findings = openFindings(dynamo.documents, dynamo.runsTable, () => now);
    await findings.remember(NAS, { writes: 'chunks' });
    now += 29 * DAY_MS;
    expect(await findings.recall(NAS)).toEqual({ writes: 'chunks' });
    now += 2 * DAY_MS;
    expect(await findings.recall(NAS)).toBeUndefined();
  });
});
