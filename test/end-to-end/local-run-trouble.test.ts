import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startRecord } from '../../functions/core/job-record.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { openSweepIndex } from '../../functions/runs/sweep-index.ts';
import { makeArchives } from '../../local/archives.ts';
import { DeliveryLog } from '../../local/delivery-log.ts';
import { demonstrate } from '../../local/demonstration.ts';
import { type LocalFerry, startLocalFerry } from '../../local/local-ferry.ts';
import { startSftpServer } from '../../local/sftp-server.ts';
import { sshDestination } from '../../local/ssh-destination.ts';
import type { LocalUser } from '../../local/users.ts';

const ADA: LocalUser = {
  id: 'ada',
  archives: [{ component: 'html', file: 'site.tar', modules: ['aws-cdk-lib', 'node'] }],
  backUp: 'everything',
  destinations: { nas: { type: 'ssh', password: 'right' } },
};
const BEN: LocalUser = {
  id: 'ben',
  archives: [{ component: 'mail', file: 'inbox.tar.gz', site: 'mail' }],
  backUp: 'everything',
  destinations: { nas: { type: 'ssh', password: 'right' }, cloud: { type: 's3', password: '' } },
};
const CLEO: LocalUser = {
  id: 'cleo',
  archives: [{ component: 'crons', file: 'crontab.tar', site: 'crons' }],
  backUp: 'everything',
  destinations: { nas: { type: 'ssh', password: 'right' } },
};

const { signal } = new AbortController();
const said: string[] = [];
const log = new DeliveryLog();
let scratch: string;
let ferry: LocalFerry;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ferry-trouble-'));
  ferry = await startLocalFerry({
    users: [ADA, BEN, CLEO],
    scratch,
    signal,
    say: (line) => said.push(line),
    log,
  });
}, 180_000);

afterAll(async () => {
  await ferry[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

describe('a deployment on this machine', () => {
  it('reports a wrong password, and delivers to everybody else', { timeout: 180_000 }, async () => {
    const mistaken: LocalUser = {
      ...BEN,
      destinations: { ...BEN.destinations, nas: { type: 'ssh', password: 'mistyped 8731' } },
    };
    const results = await deliver(ferry, [mistaken, CLEO]);
    expect(results).toMatchObject([
      { user: 'ben', destination: 'nas', verified: false, why: expect.stringMatching(/password/i) },
      { user: 'ben', destination: 'cloud', verified: true },
      { user: 'cleo', destination: 'nas', verified: true },
    ]);
    expect(said.join('\n')).not.toContain('mistyped 8731');
    expect(said).toContain('⚑ event "Run failed"  ben, nas');
    const failed = ferry.services.bus.events.filter(({ type }) => type === 'Run failed');
    expect(failed).toMatchObject([
      {
        source: 'ferry',
        detail: {
          v: 1,
          id: expect.stringMatching(/^ben#.*#nas$/),
          userId: 'ben',
          destination: 'nas',
          code: 'auth-refused',
          message: expect.stringContaining('SSH_PASSWORD'),
        },
      },
    ]);
    expect(JSON.stringify(ferry.services.bus.events)).not.toContain('mistyped 8731');
  });

  it('goes by the policy, within seconds of its being written', { timeout: 120_000 }, async () => {
    const { dynamodb, name: TableName } = ferry.settingsTable;
    const documents = DynamoDBDocumentClient.from(dynamodb);
    const SSH = { SSH_HOST_NAME: '10.9.8.7', SSH_USER: 'dora', SSH_PASSWORD: 'hidden 5521' };
    const spec = { v: 1, destinations: { nas: { type: 'ssh', settings: SSH } } };
    const statusOf = async (userId: string) =>
      (await documents.send(new GetCommand({ TableName, Key: { userId } }))).Item?.status;
    const setPolicy = (policy: object) =>
      documents.send(
        new UpdateCommand({
          TableName,
          Key: { userId: '#policy' },
          UpdateExpression: 'SET #policy = :policy',
          ExpressionAttributeNames: { '#policy': 'policy' },
          ExpressionAttributeValues: { ':policy': policy },
        }),
      );
    await documents.send(new PutCommand({ TableName, Item: { userId: 'dora', spec } }));
    const path = 'spec.destinations.nas.settings.SSH_HOST_NAME';
    await vi.waitFor(
      async () =>
        expect(await statusOf('dora')).toMatchObject({
          state: 'invalid',
          problems: [{ path, rule: 'network', problem: expect.stringContaining('10.9.8.7') }],
        }),
      { timeout: 60_000 },
    );
    const refused = ferry.services.bus.events.filter(({ detail }) => detail.userId === 'dora');
    expect(refused).toMatchObject([{ type: 'Settings refused', detail: { problemCount: 1 } }]);

    const allow = ['127.0.0.0/8', '::1/128', '10.9.0.0/16'];
    const open = { v: 1, shortestIntervalMinutes: 1, plainHttp: true, network: { allow } };
    await setPolicy(open);
    await vi.waitFor(
      async () => expect(await statusOf('dora')).toMatchObject({ state: 'valid', problems: [] }),
      { timeout: 60_000 },
    );
    await setPolicy({ ...open, netwrk: {} });
    await vi.waitFor(
      async () =>
        expect(await statusOf('#policy')).toMatchObject({
          state: 'invalid',
          problems: [{ path: 'policy.netwrk', remedy: expect.stringContaining('network?') }],
        }),
      { timeout: 60_000 },
    );
    expect(await statusOf('dora')).toMatchObject({ state: 'valid' });
    expect(JSON.stringify([said, ferry.services.bus.events])).not.toContain('hidden 5521');
  });

  it('takes up a job that nobody carries on, with its next sweep', async () => {
    const documents = DynamoDBDocumentClient.from(ferry.services.dynamodb, {
      marshallOptions: { removeUndefinedValues: true },
    });
    const table = ferry.topology.output('RunsTable');
    const runs = openRunsTable(documents, table);
    const index = openSweepIndex(documents, table);
    const lost = { userId: 'cleo', slot: '2026-11-22T03:00:00Z', destination: 'nas', hop: 0 };
    const hourAgo = Date.now() - 3_600_000;
    const record = startRecord(lost, undefined, 0, hourAgo);
    await runs.saveJob(lost, { ...record, expectedBy: new Date(hourAgo).toISOString() });

    await ferry.pipeline.tick(new Date());
    await vi.waitFor(
      async () => expect(await runs.job(lost)).toHaveProperty('endedAt', expect.any(String)),
      { timeout: 60_000, interval: 100 },
    );
    expect(said).toContainEqual(expect.stringContaining('! sweep: lost job sent again  cleo, nas'));
    for (const shard of index.shards) {
      for await (const page of index.overdue(shard, '9999')) {
        expect(page).not.toContainEqual(expect.objectContaining({ slot: lost.slot }));
      }
    }
  });

  it('delivers one whole file although the server goes away in the middle and comes back', {
    timeout: 400_000,
  }, async () => {
    const root = join(scratch, 'restarted');
    const users = { ada: 'right' };
    await mkdir(root);
    const first = await startSftpServer({ root, users });
    const { port, hostKey } = first;
    const servers = new Map(ferry.destinations.servers).set('ssh', sshDestination(first, root));
    const place = { ...ferry, destinations: { ...ferry.destinations, servers } };
    const delivering = deliver(place, [ADA]);

    await vi.waitFor(() => expect(bytesOf('ada')).toBeGreaterThan(0), {
      timeout: 60_000,
      interval: 20,
    });
    await first.stop();
    expect(await filesBelow(join(root, 'ada'))).not.toContain('backups/html/site.tar');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const second = await startSftpServer({ root, users, port, hostKey });
    try {
      expect(await delivering).toMatchObject([{ user: 'ada', verified: true }]);
      expect(await filesBelow(join(root, 'ada'))).toEqual(['backups/html/site.tar']);
    } finally {
      await second.stop();
    }
  });
});

async function deliver(where: LocalFerry, users: readonly LocalUser[]) {
  const archives = await makeArchives(users, join(scratch, 'archives'), signal);
  return await demonstrate(where, {
    users,
    archives,
    signal,
    say: (line) => said.push(line),
    patienceMs: 300_000,
  });
}

function bytesOf(userId: string): number {
  return log.underWay().find((transfer) => transfer.userId === userId)?.bytes ?? 0;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
