import { randomBytes } from 'node:crypto';
import { FerryError } from '../../core/errors.ts';
import { runSteps, type Step } from '../check-steps.ts';
import type { CheckStep } from '../contract.ts';
import { addressOf } from '../http/address.ts';
import { reachingSteps } from '../http/connection-steps.ts';
import { measureSpeed } from '../speed.ts';
import { type Container, PURPOSE } from './client.ts';
import { azureError } from './errors.ts';

/**
 * Tries everything that a delivery needs, one step at a time, with a small file of its own that it
 * deletes. The file has no access tier: one in Archive could not be read back.
 */
export async function* checkContainer(
  container: Container,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const { settings, egress } = container;
  const name = container.nameOf(`.ferry-check-${randomBytes(8).toString('hex')}`);
  const body = randomBytes(32);
  const write = (bytes: Buffer, stop: AbortSignal) =>
    container.call(
      stop,
      (client, options) => client.getBlockBlobClient(name).upload(bytes, bytes.length, options),
      bytes.length,
    );
  const remove = (stop: AbortSignal) =>
    container.call(stop, (client, options) => client.getBlobClient(name).deleteIfExists(options));
  const steps: readonly Step[] = [
    ...reachingSteps(addressOf(settings.endpoint), settings, egress, PURPOSE, signal),
    ['authentication', () => tryCredentials(container, signal)],
    ['write', async () => void (await write(body, signal))],
    [
      'read back',
      async () => {
        try {
          await readBack(container, name, body, signal);
        } catch (thrown) {
          await remove(signal).catch(() => {});
          throw thrown;
        }
        return undefined;
      },
    ],
    ['delete', async () => void (await remove(signal))],
    ['speed', () => measureSpeed(write, remove, signal)],
  ];
  yield* runSteps(steps, (thrown) => azureError(thrown, signal), signal);
}

/** A signature that may not list can still deliver, so that alone does not fail the test. */
async function tryCredentials(
  container: Container,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await container.call(signal, (client, options) =>
      client
        .listBlobsFlat({ ...options, prefix: container.nameOf('') })
        .byPage({ maxPageSize: 1 })
        .next(),
    );
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof FerryError) || thrown.code !== 'permission-denied') throw thrown;
    return 'the credentials may not list the container, so Ferry cannot show or tidy what is there';
  }
}

async function readBack(
  container: Container,
  name: string,
  expected: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const bytes = await container.call(signal, (client, options) =>
    client.getBlobClient(name).downloadToBuffer(0, expected.length, options),
  );
  if (expected.equals(bytes)) return;
  throw new FerryError(
    'corrupted',
    'What the server gives back is not what was written. Look for a proxy or disk that alters data.',
    { retry: 'later' },
  );
}
