import { randomBytes } from 'node:crypto';
import { FerryError } from '../../core/errors.ts';
import { runSteps, type Step } from '../check-steps.ts';
import type { CheckStep } from '../contract.ts';
import { addressOf } from '../http/address.ts';
import { reachingSteps } from '../http/connection-steps.ts';
import { describeRoom } from '../room.ts';
import { measureSpeed } from '../speed.ts';
import { roomLeft } from './admission.ts';
import type { Account } from './client.ts';
import { hashBlocks, toContentHash } from './content-hash.ts';
import { dropboxError } from './errors.ts';
import { listFiles } from './listing.ts';
import { remove } from './published.ts';
import { PURPOSE, TRUST } from './transport.ts';

/** Where content goes; tokens come from another name of the same service. */
const CONTENT = new URL('https://content.dropboxapi.com');

/** Tries everything that a delivery needs, one step at a time, with a small file of its own that it deletes. */
export async function* checkAccount(
  account: Account,
  readFile: (path: string) => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const name = `.ferry-check-${randomBytes(8).toString('hex')}`;
  const body = randomBytes(32);
  const write = (bytes: Buffer, stop: AbortSignal) => writeFile(account, name, bytes, stop);
  const removeFile = (stop: AbortSignal) => remove(account, name, stop);
  const address = addressOf(account.settings.endpoint ?? CONTENT);
  const steps: readonly Step[] = [
    ...reachingSteps(address, TRUST, account.egress, PURPOSE, signal),
    ['authentication', () => comeIn(account, signal)],
    ['write', async () => void (await write(body, signal))],
    [
      'read back',
      async () => {
        try {
          await readBack(readFile(name), body);
        } catch (thrown) {
          await removeFile(signal).catch(() => {});
          throw thrown;
        }
        return undefined;
      },
    ],
    ['delete', async () => void (await removeFile(signal))],
    ['space', async () => describeRoom(await roomLeft(account, signal).catch(() => undefined))],
    ['speed', () => measureSpeed(write, removeFile, signal)],
  ];
  yield* runSteps(steps, (thrown) => dropboxError(thrown, signal), signal);
}

/** Gets a token, and sees that it lets Ferry look at the folder. */
async function comeIn(account: Account, signal: AbortSignal): Promise<undefined> {
  await listFiles(account, '', signal).next();
}

async function writeFile(
  account: Account,
  name: string,
  contents: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const content_hash = toContentHash(hashBlocks(contents));
  await account.send(signal, contents.length, (client, options) =>
    client.filesUpload({ path: account.pathOf(name), mute: true, contents, content_hash }, options),
  );
}

async function readBack(chunks: AsyncIterable<Uint8Array>, expected: Buffer): Promise<void> {
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(chunk);
  if (expected.equals(Buffer.concat(read))) return;
  throw new FerryError(
    'corrupted',
    'What Dropbox gives back is not what was written. Look for a proxy that alters data.',
    { retry: 'later' },
  );
}
