import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { listenOnLoopback, stopServer } from '../../local/loopback.ts';
import { type DavAnswer, type DavRequest, Refusal, toMultistatus } from './nextcloud-answers.ts';
import { answerForFiles, type Store } from './nextcloud-files.ts';
import { type Chunking, openUploads } from './nextcloud-uploads.ts';
import {
  makeHome,
  randomPassword,
  type WebDavOptions,
  type WebDavServer,
} from './webdav-server.ts';

export interface NextcloudOptions
  extends Pick<WebDavOptions, 'password' | 'mostBodyBytes' | 'tls'>,
    Partial<Chunking> {
  /** Bytes that the user may have; without a limit unless given. */
  readonly quotaBytes?: number;
}

export interface NextcloudFake extends WebDavServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** The user's id, which is in addresses and is not the login. */
  readonly userId: string;
  /** On this disk: a folder for each upload that is not finished. */
  readonly uploads: string;
  /** A day goes by for uploads that are not finished. */
  expire(): Promise<void>;
}

const LOGIN = 'ferry@example.org';
const USER_ID = 'ferry';

/**
 * A fake of Nextcloud's WebDAV on loopback, for nothing of the real one can be had without its PHP and
 * database. It follows nextcloud/server (apps/dav/lib/Upload, lib/private/Files) and SabreDAV 4.7 in:
 * whole PUTs that are seen when they are whole, chunked uploads of both versions, names that it forbids
 * or changes to NFC, quota, the two forms of address, a login that is not the user's id. It has no
 * shares, versions, trash or locks of clients, and asks for a password in Basic alone.
 */
export async function startNextcloudFake(options: NextcloudOptions = {}): Promise<NextcloudFake> {
  const home = await makeHome('nextcloud');
  const password = options.password ?? randomPassword();
  const store: Store = {
    files: home.storage,
    uploads: home.at('uploads'),
    temporary: home.at('temporary'),
    quotaBytes: options.quotaBytes,
  };
  await mkdir(store.uploads);
  await mkdir(store.temporary);
  const uploads = openUploads(store, {
    version: options.version ?? 'v1',
    leastChunkBytes: options.leastChunkBytes ?? 5 * 1024 * 1024,
    listsParts: options.listsParts ?? true,
    assembly: options.assembly,
  });

  const { mostBodyBytes = Number.POSITIVE_INFINITY } = options;

  const answer = async (incoming: IncomingMessage): Promise<DavAnswer> => {
    const path = (incoming.url ?? '/').replace(/\?.*$/, '').replace(/\/+$/, '');
    if (Number(incoming.headers['content-length'] ?? 0) > mostBodyBytes) {
      throw new Refusal(413, 'Request Entity Too Large');
    }
    if (path === '/status.php') return STATUS;
    if (incoming.headers.authorization !== basicOf(LOGIN, password)) {
      const realm = { 'www-authenticate': 'Basic realm="Nextcloud", charset="UTF-8"' };
      throw new Refusal(401, "No 'Authorization: Basic' header found.", realm);
    }
    const request = (base: string): DavRequest => ({
      method: incoming.method ?? '',
      names: namesBelow(base, path),
      href: path,
      headers: incoming.headers,
      body: incoming,
      destination: () => destinationOf(incoming, path),
    });
    if (incoming.method === 'OPTIONS') return OPTIONS;
    if (path === DAV) return describeRoot(incoming);
    for (const base of [`${DAV}/files/${USER_ID}`, LEGACY]) {
      if (isBelow(base, path)) return answerForFiles(store, request(base));
    }
    const base = `${DAV}/uploads/${USER_ID}`;
    if (isBelow(base, path)) return uploads.answer(request(base));
    throw new Refusal(404, 'File not found');
  };

  const listener = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    try {
      await send(await answer(incoming), incoming, outgoing);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(500, String(error));
      if (outgoing.headersSent || incoming.destroyed) outgoing.destroy();
      else await send(refusal.toAnswer(), incoming, outgoing);
    }
  };
  const { tls } = options;
  const server = tls ? createHttpsServer({ ...tls }, listener) : createHttpServer(listener);
  const port = await listenOnLoopback(server);
  const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  return {
    origin,
    url: `${origin}${DAV}/files/${USER_ID}`,
    username: LOGIN,
    userId: USER_ID,
    password,
    folder: store.files,
    uploads: store.uploads,
    expire: () => uploads.expire(),
    async stop() {
      await stopServer(server);
      await home.remove();
    },
  };
}

const DAV = '/remote.php/dav';
/** The older form of an address: the files of whoever is logged in. */
const LEGACY = '/remote.php/webdav';
const STATUS: DavAnswer = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    installed: true,
    maintenance: false,
    needsDbUpgrade: false,
    version: '32.0.0.13',
    versionstring: '32.0.0',
    edition: '',
    productname: 'Nextcloud',
  }),
};
const OPTIONS: DavAnswer = {
  status: 200,
  headers: {
    dav: '1, 3, extended-mkcol, access-control, nextcloud-checksum-update',
    allow: 'OPTIONS, GET, HEAD, DELETE, PROPFIND, PUT, PROPPATCH, COPY, MOVE, REPORT, MKCOL',
  },
};

const basicOf = (login: string, password: string) =>
  `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;

const isBelow = (base: string, path: string) => path === base || path.startsWith(`${base}/`);

function namesBelow(base: string, path: string): string[] {
  try {
    return path.slice(base.length).split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    throw new Refusal(400, 'The path is not percent-encoded as it should be.');
  }
}

/** Any host will do, but it has to be below the same address as the request (SabreDAV's `calculateUri`). */
function destinationOf({ headers }: IncomingMessage, path: string): string[] {
  const { destination } = headers;
  if (typeof destination !== 'string') throw new Refusal(400, 'The destination was not supplied');
  const target = destination.replace(/^https?:\/\/[^/]*/i, '').replace(/\/+$/, '');
  const base = isBelow(LEGACY, path) ? LEGACY : `${DAV}/files/${USER_ID}`;
  if (!isBelow(base, target))
    throw new Refusal(403, `Requested uri (${target}) is out of base uri`);
  return namesBelow(base, target);
}

/** Whose address it is: RFC 5397. */
async function describeRoot(incoming: IncomingMessage): Promise<DavAnswer> {
  if (incoming.method !== 'PROPFIND') throw new Refusal(501, 'There is nothing to be done here');
  const principal = `<d:href>${DAV}/principals/users/${USER_ID}/</d:href>`;
  const properties = { resourcetype: '<d:collection/>', 'current-user-principal': principal };
  return toMultistatus([{ href: `${DAV}/`, properties }], await text(incoming));
}

async function send(answer: DavAnswer, incoming: IncomingMessage, outgoing: ServerResponse) {
  const { status, headers = {}, body = '' } = answer;
  outgoing.writeHead(status, headers);
  if (incoming.method === 'HEAD' || typeof body === 'string') {
    outgoing.end(typeof body === 'string' ? body : undefined);
    return;
  }
  const { path, start, end } = body;
  if (end < start) outgoing.end();
  else await pipeline(createReadStream(path, { start, end }), outgoing);
}
