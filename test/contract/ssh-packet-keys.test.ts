import { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MiB, partRange } from '../../functions/core/parts.ts';
import { keepPacketKeys } from '../../functions/destinations/ssh/packet-keys.ts';
import { type OpenSshServer, startOpenSsh } from '../servers/openssh.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { openWith } from './ssh-subject.ts';

const NEVER = new AbortController().signal;
let server: OpenSshServer;

beforeAll(async () => {
  server = await startOpenSsh({ rekeyBytes: MiB });
});
afterAll(() => server.remove());

it('finds the keys where this version of ssh2 has them', async () => {
  const client = new ssh2.Client();
  const { host, password, port, user: username } = server;
  client.connect({ host, port, username, password });
  await once(client, 'ready');
  keepPacketKeys(client);
  const sides = Object.values<object>(Reflect.get(client, '_protocol'));
  const keys = sides.flatMap((side) => Object.values(side ?? {}));
  expect(keys.filter((key) => key instanceof KeyObject)).toHaveLength(2);
  client.end();
});

it('new keys that the server wants in the middle of a file are used', async () => {
  const destination = await openWith({
    SSH_HOST_NAME: server.host,
    SSH_PORT: String(server.port),
    SSH_USER: server.user,
    SSH_PASSWORD: server.password,
    SSH_HOST_KEY: server.fingerprint,
  });
  const bytes = sampleBytes(8 * MiB, 'keys change');
  const plan = { size: bytes.length, partSize: 2 * MiB, count: 4 };
  const file = { path: 'keys.bin', size: bytes.length, transferId: '0123456789abcdef' };
  const upload = await destination.begin(file, plan, NEVER);
  for (let number = 0; number < plan.count; number++) {
    const range = partRange(plan, number);
    const part = bytes.subarray(range.offset, range.offset + range.length);
    await upload.writePart({ ...range, bytes: part }, NEVER);
  }
  expect(await upload.finish(digestOf(bytes), NEVER)).toMatchObject({ verified: 'checksum' });
  expect(await readFile(join(server.home, 'keys.bin'))).toEqual(bytes);
  await destination.close();
});
