import * as z from 'zod';
import { parseMultistatus } from './multistatus.ts';
import { decodeNames, encodeNames, namesOf } from './remote-path.ts';
import type { Server } from './server.ts';

/** Where a Nextcloud or ownCloud is, as WEBDAV_URL tells. */
export interface Cloud {
  /** Of all its WebDAV, with a slash at its end: `https://cloud.example.com/remote.php/dav/` */
  readonly dav: string;
  /** The user's id there, which is not always the login; the older kind of address does not tell it. */
  readonly user?: string;
  /** Folders of WEBDAV_URL below the user's own. */
  readonly below: readonly string[];
}

/** Addresses of one file that is sent in chunks. */
export interface ChunkPlaces {
  /** Of the chunks. */
  readonly folder: string;
  /** Number from 0. */
  chunk(number: number): string;
  /** What has to be moved to its name when all chunks are there. */
  readonly whole: string;
  /** The final name, as requests to do with chunks have to give it. */
  readonly final: string;
}

/**
 * Reads an address as Nextcloud and ownCloud show it
 * (docs.nextcloud.com/server/latest/user_manual/en/files/access_webdav.html); undefined for others.
 */
export function toCloud(url: URL): Cloud | undefined {
  const [, before, rest] =
    /^(.*\/remote\.php\/)(?:dav\/files|webdav)\/(.*)$/.exec(url.pathname) ?? [];
  if (before === undefined || rest === undefined) return undefined;
  const dav = `${url.origin}${before}dav/`;
  const names = decodeNames(rest);
  if (url.pathname.startsWith(`${before}webdav/`)) return { dav, below: names };
  const [user, ...below] = names;
  return user === undefined ? undefined : { dav, user, below };
}

const principal = z.object({
  multistatus: z.object({
    response: z.array(
      z.object({
        propstat: z.object({
          prop: z.object({ 'current-user-principal': z.object({ href: z.string() }) }),
        }),
      }),
    ),
  }),
});

/** The id of who is logged in (RFC 5397); undefined where the server does not tell. */
export async function findUser(
  server: Server,
  { dav }: Cloud,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { status, text } = await server.call(signal, {
    method: 'PROPFIND',
    url: dav,
    headers: { depth: '0', 'content-type': 'application/xml' },
    body: '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>',
    expect: [403, 404],
  });
  const parsed = status === 207 ? await parseMultistatus(text) : undefined;
  const { data } = principal.safeParse(parsed);
  const [first] = data?.multistatus.response ?? [];
  return first && decodeNames(first.propstat.prop['current-user-principal'].href).at(-1);
}

/**
 * @param path of the file, below the destination's folder
 * @param id names the folder of the chunks
 */
export function chunkPlaces(server: Server, user: string, path: string, id: string): ChunkPlaces {
  const { url, folder: own } = server.settings;
  const cloud = toCloud(url);
  const dav = cloud?.dav ?? url.href;
  const names = [...(cloud?.below ?? []), ...namesOf(own), ...namesOf(path)];
  const folder = `${dav}uploads/${encodeNames([user, id])}/`;
  return {
    folder,
    // Chunks are put together in the order of their names, and v2 reads them as numbers from 1.
    chunk: (number) => `${folder}${String(number + 1).padStart(5, '0')}`,
    whole: `${folder}.file`,
    final: `${dav}files/${encodeNames([user, ...names])}`,
  };
}
