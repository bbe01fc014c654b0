import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { MiB, partRange } from '../../functions/core/parts.ts';
import type { Destination, Upload } from '../../functions/destinations/contract.ts';
import { startSftpServer } from '../../local/sftp-server.ts';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.ts';
import { type OpenSshServer, startOpenSsh } from '../servers/openssh.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { openWith, type Settings } from './ssh-subject.ts';

const NEVER = new AbortController().signal;
/** Large enough for four connections, and a line long enough for five. */
const bytes = sampleBytes(48 * MiB + 77, 'a large archive');
const FAR = { delayMs: 20 };
const plan = { size: bytes.length, partSize: 4 * MiB, count: 13 };
const file = { path: 'large.bin', size: bytes.length, transferId: '0123456789abcdef' };

let server: OpenSshServer;
let proxy: FaultProxy;
let destination: Destination | undefined;

const settingsFor = (port: number): Settings => ({
  SSH_HOST_NAME: '127.0.0.1',
  SSH_PORT: String(port),
  SSH_USER: server.user,
  SSH_PASSWORD: server.password,
  SSH_HOST_KEY: server.fingerprint,
});

beforeAll(async () => {
  server = await startOpenSsh();
});
beforeEach(async () => {
  proxy = await startFaultProxy({ to: server, faults: FAR });
  destination = undefined;
});
afterEach(async () => {
  await destination?.close();
  await proxy.stop();
});
afterAll(() => server.remove());

/** Parts of the plan, two at once as a transfer sends them. */
async function writeParts(upload: Upload, from: number, to: number): Promise<void> {
  let next = from;
  const lane = async () => {
    while (next < to) {
      const range = partRange(plan, next++);
      const part = bytes.subarray(range.offset, range.offset + range.length);
      await upload.writePart({ ...range, bytes: part }, NEVER);
    }
  };
  await Promise.all([lane(), lane()]);
}

/** Processes that have the temporary file open, in the order of their connections. */
async function writers(): Promise<number[]> {
  const temporary = join(server.home, `.large.bin.${file.transferId}.part`);
  const isWriter = async (pid: string) => {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = files.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
    return (await Promise.all(links)).includes(temporary) ? [Number(pid)] : [];
  };
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(processes.map(isWriter))).flat().sort((one, other) => one - other);
}

/** Bytes that each of them has written, to the file and to its pipes. */
async function writtenByEach(): Promise<number[]> {
  const written = async (pid: number) => {
    const io = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
    return Number(/wchar: (\d+)/.exec(io)?.[1] ?? 0);
  };
  return Promise.all((await writers()).map(written));
}

/** A transfer whose first three parts have arrived, over four connections by now. */
async function beginOverFour(to: Destination) {
  const upload = await to.begin(file, plan, NEVER);
  await writeParts(upload, 0, 3);
  await expect.poll(async () => (await writers()).length, { timeout: 15_000 }).toBe(4);
  return { upload, checkpoint: await upload.checkpoint() };
}

const delivered = () => readFile(join(server.home, 'large.bin'));

it('carries a large archive over several connections where the line is long, and closes all', async () => {
  destination = await openWith(settingsFor(proxy.port));
  const upload = await destination.begin(file, plan, NEVER);
  await writeParts(upload, 0, 4);
  await expect.poll(async () => (await writtenByEach()).length, { timeout: 15_000 }).toBe(4);
  await writeParts(upload, 4, plan.count);
  for (const each of await writtenByEach()) expect(each).toBeGreaterThan(2 * MiB);
  expect(await upload.checkpoint()).toMatchObject({ parts: plan.count });
  expect(await upload.finish(digestOf(bytes), NEVER)).toMatchObject({ verified: 'checksum' });
  expect((await delivered()).equals(bytes)).toBe(true);
  expect(await writtenByEach()).toEqual([]);
  expect(proxy.accepted).toBe(4);
  await destination.close();
  await expect.poll(() => proxy.living).toBe(0);
});

it('makes do with one where the server takes no further ones, and does not ask again', async () => {
  destination = await openWith(settingsFor(proxy.port));
  await destination.stat('absent', NEVER);
  proxy.set({ ...FAR, refuse: true });
  const upload = await destination.begin(file, plan, NEVER);
  await writeParts(upload, 0, plan.count);
  await upload.finish(digestOf(bytes), NEVER);
  expect((await delivered()).equals(bytes)).toBe(true);
  const asked = proxy.accepted;
  expect(asked).toBeGreaterThan(1);
  const again = await destination.begin(file, plan, NEVER);
  await again.abort();
  expect(proxy.accepted).toBe(asked);
});

it('goes on from the checkpoint, over several again, when all broke', async () => {
  destination = await openWith(settingsFor(proxy.port));
  const { checkpoint, upload } = await beginOverFour(destination);
  const writing = writeParts(upload, 3, plan.count);
  proxy.cut();
  await expect(writing).rejects.toMatchObject({ code: 'unreachable', retry: 'now' });
  // As a transfer does: until then the first one may not have noticed what another one has.
  await wait(500);
  const resumed = await destination.resume(file, plan, checkpoint ?? null, NEVER);
  expect(resumed.held).toBe(3);
  await writeParts(resumed, 3, plan.count);
  expect(await resumed.finish(digestOf(bytes), NEVER)).toMatchObject({ verified: 'checksum' });
  expect((await delivered()).equals(bytes)).toBe(true);
  expect(proxy.accepted).toBeGreaterThan(5);
});

it('loses one of them without harm, and goes on over the others', async () => {
  destination = await openWith(settingsFor(proxy.port));
  const { checkpoint, upload } = await beginOverFour(destination);
  const writing = writeParts(upload, 3, plan.count);
  writing.catch(() => {});
  const last = (await writers()).at(-1) ?? Number.NaN;
  process.kill(last, 'SIGKILL');
  await expect(writing).rejects.toMatchObject({ code: 'unreachable', retry: 'now' });
  const resumed = await destination.resume(file, plan, checkpoint ?? null, NEVER);
  expect(resumed.held).toBe(3);
  await writeParts(resumed, 3, plan.count);
  expect(await writers()).toHaveLength(3);
  expect(await resumed.finish(digestOf(bytes), NEVER)).toMatchObject({ verified: 'checksum' });
  expect((await delivered()).equals(bytes)).toBe(true);
  expect(proxy.accepted).toBe(4);
});

it('closes also those that are still being made', async () => {
  destination = await openWith(settingsFor(proxy.port));
  const upload = await destination.begin(file, plan, NEVER);
  await upload.abort();
  await destination.close();
  await expect.poll(() => proxy.living).toBe(0);
  expect(await readdir(server.home)).not.toContain(`.large.bin.${file.transferId}.part`);
});

it('keeps to one where the server is near', async () => {
  proxy.set({});
  destination = await openWith(settingsFor(proxy.port));
  const upload = await destination.begin(file, plan, NEVER);
  await writeParts(upload, 0, plan.count);
  await upload.finish(digestOf(bytes), NEVER);
  expect(proxy.accepted).toBe(1);
});

it('keeps to one where the server is not OpenSSH, and may not know a file that is open twice', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ferry-sftp-'));
  const other = await startSftpServer({ root, users: { ann: 'word' } });
  const line = await startFaultProxy({ to: { host: '127.0.0.1', port: other.port }, faults: FAR });
  const user = { SSH_USER: 'ann', SSH_PASSWORD: 'word', SSH_HOST_KEY: other.fingerprint };
  const opened = await openWith({ ...settingsFor(line.port), ...user });
  try {
    const upload = await opened.begin(file, plan, NEVER);
    await writeParts(upload, 0, plan.count);
    await upload.finish(digestOf(bytes), NEVER);
    expect((await readFile(join(root, 'ann/large.bin'))).equals(bytes)).toBe(true);
    expect(line.accepted).toBe(1);
  } finally {
    await opened.close();
    await line.stop();
    await other.stop();
    await rm(root, { recursive: true });
  }
});
