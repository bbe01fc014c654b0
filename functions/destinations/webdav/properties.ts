import * as z from 'zod';
import { notWebDav } from './errors.ts';
import { parseMultistatus } from './multistatus.ts';
import { decodeNames } from './remote-path.ts';
import type { Server } from './server.ts';

/** One file or folder as the server tells of it. */
export interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'folder';
  /** Bytes; NaN where the server does not tell. */
  readonly size: number;
  /** As the server writes it; a rename keeps it on most. */
  readonly modified?: string | undefined;
  readonly etag?: string | undefined;
}

// Empty where the server has no answer, which is not nought.
const bytes = z.union([z.int().min(0), z.string().regex(/^\d+$/).transform(Number)]);
const told = z.union([z.string(), z.number()]).transform(String).optional().catch(undefined);
const properties = z.object({
  resourcetype: z.unknown(),
  getcontentlength: bytes.optional().catch(undefined),
  getlastmodified: told,
  getetag: told,
});
const response = z.object({
  href: z.coerce.string(),
  status: z.string().optional().catch(undefined),
  propstat: z.object({ prop: properties }).optional().catch(undefined),
});
const multistatus = z.object({ multistatus: z.object({ response: z.array(response) }) });

/** What stands at an address; undefined where nothing does. */
export async function look(
  server: Server,
  url: string,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const found = await ask(server, url, '0', signal);
  const [first] = found ?? [];
  const entry = first && toEntry(first);
  if (entry?.kind !== 'file' || !Number.isNaN(entry.size)) return entry;
  const headers = { 'accept-encoding': 'identity' };
  const { headers: told } = await server.call(signal, { method: 'HEAD', url, headers });
  return { ...entry, size: Number(told.get('content-length') ?? Number.NaN) };
}

/** What is in a folder; undefined where there is no such folder. */
export async function lookInto(
  server: Server,
  url: string,
  signal: AbortSignal,
): Promise<Entry[] | undefined> {
  const found = await ask(server, url, '1', signal);
  if (found === undefined) return undefined;
  return childrenOf(url, found).flatMap((one) => toEntry(one) ?? []);
}

/**
 * Which of the answers are about what is in the folder, and not about the folder itself. Addresses in
 * answers may be whole or a path, encoded in another way than ours, and behind a proxy with another
 * beginning.
 */
export function childrenOf<T extends { readonly href: string }>(
  url: string,
  found: readonly T[],
): T[] {
  const depths = found.map(({ href }) => decodeNames(pathOf(href)));
  const folder = decodeNames(new URL(url).pathname);
  const isFolder = (names: readonly string[]) =>
    names.length === folder.length && names.every((name, at) => name === folder[at]);
  const own = depths.find(isFolder)?.length ?? Math.min(...depths.map((names) => names.length));
  return found.filter((_, at) => depths[at]?.length === own + 1);
}

/** Not by the rules of URLs: some servers leave `#` and `?` in names as they are. */
function pathOf(href: string): string {
  return href.replace(/^https?:\/\/[^/]*/i, '');
}

const quota = z.object({
  multistatus: z.object({
    response: z.array(
      z.object({
        propstat: z.object({
          prop: z.object({ 'quota-available-bytes': bytes }),
        }),
      }),
    ),
  }),
});

/** How many bytes a folder has room for (RFC 4331, 3); undefined where the server does not tell. */
export async function roomIn(
  server: Server,
  url: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { text } = await server.call(signal, {
    method: 'PROPFIND',
    url,
    headers: { depth: '0', 'content-type': 'application/xml' },
    body: '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><quota-available-bytes/></prop></propfind>',
  });
  const [first] = quota.safeParse(await parseMultistatus(text)).data?.multistatus.response ?? [];
  return first?.propstat.prop['quota-available-bytes'];
}

/** No body asks for all usual properties, and gets none that are missing (RFC 4918, 9.1). */
async function ask(server: Server, url: string, depth: '0' | '1', signal: AbortSignal) {
  const request = { method: 'PROPFIND', url, headers: { depth }, expect: [404] };
  const { status, text } = await server.call(signal, request);
  if (status === 404) return undefined;
  if (status !== 207) throw notWebDav();
  const parsed = await parseMultistatus(text);
  const { success, data } = multistatus.safeParse(parsed);
  if (!success) throw notWebDav();
  return data.multistatus.response;
}

function toEntry({ href, status, propstat }: z.output<typeof response>): Entry | undefined {
  if (propstat === undefined || (status !== undefined && !/\s2\d\d\b/.test(status)))
    return undefined;
  const { resourcetype, getcontentlength, getlastmodified, getetag } = propstat.prop;
  const isFolder =
    typeof resourcetype === 'object' && resourcetype !== null && 'collection' in resourcetype;
  return {
    name: decodeNames(pathOf(href)).at(-1) ?? '',
    kind: isFolder ? 'folder' : 'file',
    size: isFolder ? 0 : (getcontentlength ?? Number.NaN),
    modified: getlastmodified,
    etag: getetag,
  };
}
