import { ListObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { RemoteStat } from '../contract.ts';
import type { Bucket } from './client.ts';

const page = z.object({
  IsTruncated: z.boolean().default(false),
  NextContinuationToken: z.string().optional(),
  Contents: z
    .array(z.object({ Key: z.string(), Size: z.number(), LastModified: z.date() }))
    .default([]),
});

type Page = z.output<typeof page>;

/**
 * Every object below the folder `prefix` of the user's own folder, page by page. Unfinished uploads
 * are not objects, and keys that end in `/` stand for folders; neither is listed.
 */
export async function* listObjects(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncIterable<RemoteStat> {
  const root = folder(bucket.settings.folder);
  const Prefix = `${root}${folder(prefix)}`;
  const Bucket = bucket.settings.bucket;
  const v2 = (ContinuationToken?: string) => {
    const command = new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken });
    return bucket.call(signal, async (client, options) =>
      page.parse(await client.send(command, options)),
    );
  };
  const v1 = (Marker: string) => {
    const command = new ListObjectsCommand({ Bucket, Prefix, Marker });
    return bucket.call(signal, async (client, options) =>
      page.parse(await client.send(command, options)),
    );
  };

  let current: Page | undefined = await v2();
  while (current) {
    for (const { Key, Size, LastModified } of current.Contents) {
      if (!Key.startsWith(Prefix) || Key.endsWith('/')) continue;
      yield { path: Key.slice(root.length), size: Size, modifiedAt: LastModified };
    }
    current = await next(current, v1, v2);
  }
}

/** A page that goes on without a token is from a server that knows only the first version of listing. */
async function next(
  { IsTruncated, NextContinuationToken, Contents }: Page,
  v1: (marker: string) => Promise<Page>,
  v2: (token: string) => Promise<Page>,
): Promise<Page | undefined> {
  const last = Contents.at(-1)?.Key;
  if (!IsTruncated) return undefined;
  if (NextContinuationToken !== undefined) return v2(NextContinuationToken);
  return last === undefined ? undefined : v1(last);
}

function folder(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`;
}
