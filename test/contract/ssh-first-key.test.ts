import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { CheckStep, Json } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import type { Surroundings } from '../../functions/destinations/surroundings.ts';
import { type SftpServer, startSftpServer } from '../../local/sftp-server.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

const PASSWORD = 'marked-secret-of-ann';
const DAY_MS = 24 * 3600 * 1000;

let root: string;
let server: SftpServer;
let kept: Json | undefined;
const keptDays: (number | undefined)[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ferry-first-key-'));
  server = await startSftpServer({ root, users: { ann: PASSWORD } });
  kept = undefined;
  keptDays.length = 0;
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
  await rm(root, { recursive: true });
});

/** The server set up anew, at the same port. */
async function replaceServer(hostKey?: string): Promise<void> {
  const { port } = server;
  await server.stop();
  server = await startSftpServer({
    ...{ root, port, users: { ann: PASSWORD } },
    ...(hostKey === undefined ? {} : { hostKey }),
  });
}

/** A deployment whose operator lets the first key be trusted. */
const trusting = (): Surroundings => ({
  ...NO_SURROUNDINGS,
  trustFirstHostKey: true,
  recall: async () => kept,
  remember: async (findings, days) => {
    kept = JSON.parse(JSON.stringify(findings));
    keptDays.push(days);
  },
});

async function open(surroundings: Surroundings, more: Readonly<Record<string, unknown>> = {}) {
  const parsed = parseDestination(
    'ssh',
    {
      ...{ SSH_HOST_NAME: server.host, SSH_PORT: server.port, SSH_USER: 'ann' },
      ...{ SSH_PASSWORD: PASSWORD, ...more },
    },
    NO_LIMITS,
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.open(surroundings);
}

/** How one run of a job ends, in a process of its own. */
async function run(surroundings: Surroundings, more = {}): Promise<'delivered' | FerryError> {
  const destination = await open(surroundings, more);
  try {
    await destination.stat('x', NEVER);
    return 'delivered';
  } catch (error) {
    if (error instanceof FerryError) return error;
    throw error;
  } finally {
    await destination.close();
  }
}

describe('the first host key of a server', () => {
  it('is trusted by no unattended job, unless the operator says so', async () => {
    const error = await run({ ...trusting(), trustFirstHostKey: false });
    expect(error).toMatchObject({ code: 'host-key-unknown', retry: 'never' });
    expect(kept).toBeUndefined();
  });

  it('is kept where it is trusted, for longer than any schedule', async () => {
    expect(await run(trusting())).toBe('delivered');
    expect(kept).toMatchObject({ type: 'ssh-ed25519', fingerprint: server.fingerprint });
    expect(keptDays).toEqual([400]);
    expect(JSON.stringify(kept)).not.toContain(PASSWORD);
    // And is not written again by each run.
    expect(await run(trusting())).toBe('delivered');
    expect(keptDays).toHaveLength(1);
  });

  it('is kept anew when it was not seen for a week, and stays as old as it is', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await run(trusting());
    const first = kept;
    vi.setSystemTime(Date.now() + 8 * DAY_MS);
    expect(await run(trusting())).toBe('delivered');
    expect(keptDays).toHaveLength(2);
    const { firstSeen } = JSON.parse(JSON.stringify(first));
    expect(kept).toMatchObject({ firstSeen });
    expect(kept).not.toEqual(first);
  });

  it('is what every later run compares with: another one ends it for good, and both are told', async () => {
    await run(trusting());
    const before = server.fingerprint;
    await replaceServer();
    const error = await run(trusting());
    expect(error).toMatchObject({ code: 'host-key-changed', retry: 'never', scope: 'destination' });
    expect(error).toHaveProperty('message', expect.stringContaining(`ssh-ed25519 ${before}`));
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining(`ssh-ed25519 ${server.fingerprint}`),
    );
    expect(kept).toMatchObject({ fingerprint: before });
    expect(await run(trusting())).toMatchObject({ code: 'host-key-changed' });
  });

  it('gives way to one that is pinned', async () => {
    await run(trusting());
    await replaceServer();
    const pinned = { SSH_HOST_KEY: server.fingerprint };
    expect(await run(trusting(), pinned)).toBe('delivered');
    const other = { SSH_HOST_KEY: `SHA256:${'A'.repeat(43)}` };
    expect(await run(trusting(), other)).toMatchObject({ code: 'host-key-changed' });
  });

  it('of another server is met anew, and one that is revoked never', async () => {
    await run(trusting());
    const other = await startSftpServer({ root, users: { ann: PASSWORD } });
    expect(await run(trusting(), { SSH_PORT: other.port })).toBe('delivered');
    expect(kept).toMatchObject({ fingerprint: other.fingerprint });
    await other.stop();
    kept = undefined;
    const revoked = { SSH_HOST_KEY: `@revoked * ${server.fingerprint}` };
    expect(await run(trusting(), revoked)).toMatchObject({ code: 'host-key-changed' });
    expect(kept).toBeUndefined();
  });

  it('is not trusted where the one before cannot be looked up or this one not be kept', async () => {
    const broken = async () => {
      throw new Error('the table is not there');
    };
    expect(await run({ ...trusting(), recall: broken })).toMatchObject({ retry: 'later' });
    expect(await run({ ...trusting(), remember: broken })).toMatchObject({ retry: 'later' });
    expect(kept).toBeUndefined();
  });

  it('is shown by the connection test, accepted or not', async () => {
    const steps = async (surroundings: Surroundings): Promise<CheckStep[]> => {
      const destination = await open(surroundings);
      const all: CheckStep[] = [];
      for await (const step of destination.check(NEVER)) all.push(step);
      await destination.close();
      return all;
    };
    const detail = `ssh-ed25519 ${server.fingerprint}`;
    expect((await steps(NO_SURROUNDINGS)).at(-1)).toMatchObject({
      ...{ step: 'host key', detail },
      error: { code: 'host-key-unknown' },
    });
    const accepted = (await steps(trusting())).find(({ step }) => step === 'host key');
    expect(accepted).toMatchObject({ detail });
    expect(accepted?.error).toBeUndefined();
    await replaceServer();
    expect((await steps(trusting())).at(-1)).toMatchObject({
      ...{ step: 'host key', detail: `ssh-ed25519 ${server.fingerprint}` },
      error: { code: 'host-key-changed' },
    });
  });
});
