import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { CheckStep } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { measureSpeed } from '../../functions/destinations/speed.ts';
import { startSftpServer } from '../../local/sftp-server.ts';
import { startApache } from '../servers/apache.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { startNextcloudFake } from '../servers/nextcloud-fake.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import { startOpenSsh } from '../servers/openssh.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';
import { settingsOf } from './webdav-subject.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
function started<T>(server: T, stop: (server: T) => Promise<unknown>): T {
  stops.push(() => stop(server));
  return server;
}

async function check(type: string, settings: object): Promise<Map<string, CheckStep>> {
  const parsed = parseDestination(type, { ...settings }, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const destination = await parsed.value.open(NO_SURROUNDINGS);
  const steps = new Map<string, CheckStep>();
  for await (const step of destination.check(NEVER)) steps.set(step.step, step);
  await destination.close();
  return steps;
}

const RATE = expect.stringMatching(/^\d+(\.\d)? MiB\/s: 4 MiB in \d+\.\d\d s$/);

describe('the connection test of an SSH server', () => {
  const settingsFor = (server: Awaited<ReturnType<typeof startOpenSsh>>) => ({
    SSH_HOST_NAME: server.host,
    SSH_PORT: server.port,
    SSH_USER: server.user,
    SSH_PASSWORD: server.password,
    SSH_HOST_KEY: server.fingerprint,
  });

  it('tells the space that the user has, and the speed', async () => {
    const small = { smallFolderBytes: 16 * MiB };
    const server = started(await startOpenSsh(small), (one) => one.remove());
    const settings = { ...settingsFor(server), SSH_REMOTE_PATH: 'small' };
    const steps = await check('ssh', settings);
    expect([...steps.keys()].slice(-3)).toEqual(['delete', 'space', 'speed']);
    expect(steps.get('space')?.detail).toMatch(/^1[0-6] MiB free$/);
    expect(steps.get('speed')).toMatchObject({ detail: RATE });
    const left = await readdir(join(server.home, 'small'));
    expect(left.filter((name) => name.includes('ferry'))).toEqual([]);
  });

  it('fails where there is less room than a small archive needs, and leaves nothing', async () => {
    const small = { smallFolderBytes: 3 * MiB };
    const server = started(await startOpenSsh(small), (one) => one.remove());
    const settings = { ...settingsFor(server), SSH_REMOTE_PATH: 'small' };
    const steps = await check('ssh', settings);
    expect(steps.get('speed')?.error).toMatchObject({ code: 'no-space', retry: 'never' });
    const left = await readdir(join(server.home, 'small'));
    expect(left.filter((name) => name.includes('ferry'))).toEqual([]);
  });

  it('says so where the server does not tell', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ferry-check-'));
    stops.push(() => rm(root, { recursive: true }));
    const users = { ann: 'password' };
    const server = started(await startSftpServer({ root, users }), (one) => one.stop());
    const steps = await check('ssh', {
      ...{ SSH_HOST_NAME: server.host, SSH_PORT: server.port, SSH_HOST_KEY: server.fingerprint },
      ...{ SSH_USER: 'ann', SSH_PASSWORD: 'password' },
    });
    expect(steps.get('space')?.detail).toBe('the server does not tell');
    expect(steps.get('speed')).toMatchObject({ detail: RATE });
    expect(await readdir(join(root, 'ann'))).toEqual([]);
  });

  it('ends in good time on a slow line, and leaves nothing', async () => {
    const server = started(await startOpenSsh(), (one) => one.remove());
    const faults = { bytesPerSecond: 256 * 1024 };
    const proxy = started(await startFaultProxy({ to: server, faults }), (one) => one.stop());
    const steps = await check('ssh', { ...settingsFor(server), SSH_PORT: proxy.port });
    const speed = steps.get('speed');
    expect(speed?.detail).toBe('less than 0.4 MiB/s: 4 MiB took longer than 10 s');
    expect(speed?.error).toBeUndefined();
    expect((await readdir(server.home)).filter((name) => name.includes('ferry'))).toEqual([]);
  });
});

describe('the connection test of a WebDAV server', () => {
  it('tells the quota that is left (RFC 4331), and the speed', async () => {
    const cloud = await startNextcloudFake({ quotaBytes: 9 * MiB });
    const server = started(cloud, (one) => one.stop());
    const steps = await check('webdav', settingsOf(server));
    expect(steps.get('space')?.detail).toBe('9 MiB free');
    expect(steps.get('speed')).toMatchObject({ detail: RATE });
    expect(await readdir(server.folder)).toEqual([]);
  });

  it('says so where the server does not tell, or has no limit', async () => {
    const nginx = started(await startNginx(), (one) => one.stop());
    const cloud = started(await startNextcloudFake(), (one) => one.stop());
    for (const server of [nginx, cloud]) {
      const steps = await check('webdav', settingsOf(server));
      expect(steps.get('space')?.detail).toBe('the server does not tell');
    }
  });

  it('finds a server that takes small files only, and says what to raise', async () => {
    const small = await startNginx({ mostBodyBytes: MiB });
    const server = started(small, (one) => one.stop());
    const steps = await check('webdav', settingsOf(server));
    expect(steps.get('delete')?.error).toBeUndefined();
    expect(steps.get('speed')?.error).toMatchObject({
      code: 'too-large',
      message: expect.stringContaining('client_max_body_size'),
    });
  });

  it('passes where a server takes small requests and pieces of files', async () => {
    const small = await startApache({ mostBodyBytes: MiB });
    const server = started(small, (one) => one.stop());
    const steps = await check('webdav', settingsOf(server));
    expect(steps.get('speed')).toMatchObject({ detail: expect.stringMatching(/^not measured: /) });
    expect(steps.get('speed')?.error).toBeUndefined();
  });
});

describe('measuring the speed', () => {
  it('sends bytes that cannot be compressed, and removes them whatever happens', async () => {
    const sent: Buffer[] = [];
    let removals = 0;
    const remove = async () => {
      removals += 1;
    };
    const write = async (bytes: Buffer) => {
      sent.push(bytes);
    };
    expect(await measureSpeed(write, remove, NEVER)).toEqual(RATE);
    expect(sent[0]).toHaveLength(4 * MiB);
    expect(new Set(sent[0]?.subarray(0, 1000)).size).toBeGreaterThan(200);
    const broken = async () => {
      throw new Error('broken');
    };
    await expect(measureSpeed(broken, remove, NEVER)).rejects.toThrow('broken');
    expect(removals).toBe(2);
  });
});
