import { Readable } from 'node:stream';
import * as z from 'zod';
import { MiB } from '../../core/parts.ts';
import type { Capabilities, Destination, RemoteStat } from '../contract.ts';
import { readBody } from '../http/body.ts';
import type { Surroundings } from '../surroundings.ts';
import { checkContainer } from './check.ts';
import { type Container, openContainer } from './client.ts';
import { azureError } from './errors.ts';
import { look } from './published.ts';
import type { AzureSettings } from './settings.ts';
import { beginUpload, resumeUpload } from './upload.ts';

/** learn.microsoft.com/azure/storage/blobs/scalability-targets */
const PART = { min: 1, max: 4000 * MiB, preferred: 8 * MiB, multiple: 1, most: 50_000 } as const;

const CAPABILITIES: Capabilities = {
  writes: 'any-order',
  part: PART,
  parallel: 4,
  resume: 'parts',
  publish: 'atomic',
  proof: 'checksum',
};

const page = z.object({
  segment: z.object({
    blobItems: z.array(
      z.object({
        name: z.string(),
        properties: z.object({ contentLength: z.number(), lastModified: z.date() }),
      }),
    ),
  }),
  continuationToken: z.string().optional(),
});

/** A container of Azure Blob storage. Nothing is sent before the first call. */
export async function openAzure(
  settings: AzureSettings,
  { egress }: Pick<Surroundings, 'egress'>,
): Promise<Destination> {
  const container = openContainer(settings, egress);
  return {
    capabilities: async () => CAPABILITIES,
    check: (signal) => checkContainer(container, signal),
    begin: async (file, plan) => beginUpload(container, file, plan),
    resume: (file, plan, checkpoint, signal) =>
      resumeUpload(container, file, plan, checkpoint, signal),
    async stat(path, signal) {
      const found = await look(container, { path }, signal);
      return found && { path, size: found.size, modifiedAt: found.modifiedAt };
    },
    list: (prefix, signal) => listBlobs(container, prefix, signal),
    read: (path, signal, range) => readBlob(container, path, signal, range),
    async remove(path, signal) {
      await container.call(signal, (client, options) =>
        client.getBlobClient(container.nameOf(path)).deleteIfExists(options),
      );
    },
    close: async () => container.close(),
  };
}

async function* listBlobs(
  container: Container,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<RemoteStat> {
  const root = container.nameOf('');
  const folder = prefix === '' ? root : `${container.nameOf(prefix)}/`;
  let continuationToken: string | undefined;
  do {
    const found = await container.call(signal, async (client, options) => {
      const pages = client.listBlobsFlat({ ...options, prefix: folder }).byPage({
        ...(continuationToken === undefined ? {} : { continuationToken }),
      });
      const { value } = await pages.next();
      return page.parse(value);
    });
    for (const { name, properties } of found.segment.blobItems) {
      const { contentLength: size, lastModified: modifiedAt } = properties;
      yield { path: name.slice(root.length), size, modifiedAt };
    }
    continuationToken = found.continuationToken || undefined;
  } while (continuationToken !== undefined);
}

async function* readBlob(
  container: Container,
  path: string,
  signal: AbortSignal,
  range: { from: number; to: number } = { from: 0, to: Number.POSITIVE_INFINITY },
): AsyncGenerator<Uint8Array> {
  if (range.from >= range.to) return;
  const count = Number.isFinite(range.to) ? range.to - range.from : undefined;
  const blob = container.nameOf(path);
  const body = await container.call(signal, async (client, { abortSignal }) => {
    const answer = await client
      .getBlobClient(blob)
      .download(range.from, count, { abortSignal, maxRetryRequests: 0 });
    return answer.readableStreamBody;
  });
  if (!(body instanceof Readable)) return;
  try {
    yield* readBody(body, signal);
  } catch (thrown) {
    throw azureError(thrown, signal);
  }
}
