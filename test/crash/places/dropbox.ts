import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DropboxResponseError } from 'dropbox';
import { z } from 'zod';
import { officialClient } from '../../servers/dropbox-client.ts';
import type { Seen } from '../../servers/http-front.ts';
import { startChildServer } from './child-server.ts';
import { startFronted } from './fronted.ts';
import { type CrashPlace, partAt } from './place.ts';

const PROCESS = new URL('./dropbox-process.ts', import.meta.url);
const tellings = z.object({
  endpoint: z.string(),
  app: z.object({ key: z.string(), secret: z.string() }),
});
/** What the official client adds to the metadata of a file that it fetched. */
const downloaded = z.object({ fileBinary: z.instanceof(Buffer) });
const entry = z.object({ '.tag': z.string(), path_display: z.string() });
const found = z.object({ size: z.number() });
const argument = z.object({
  cursor: z.object({ offset: z.number() }).optional(),
  close: z.boolean().optional(),
});

/** The fake of Dropbox in a process of its own. */
export async function startDropboxPlace(scratch: string): Promise<CrashPlace> {
  const folder = join(scratch, 'dropbox');
  const refreshToken = randomBytes(16).toString('hex');
  const server = await startChildServer(PROCESS, (told) => {
    const earlier = tellings.safeParse(told).data;
    const port = earlier && Number(new URL(earlier.endpoint).port);
    return { folder, refreshToken, ...(port && { port }) };
  });
  const { endpoint, app } = tellings.parse(server.told);
  const identity = { endpoint, clientId: app.key, clientSecret: app.secret, refreshToken };
  // Its access token is not known any more after a restart, so each question is asked by a new one.
  const client = () => officialClient(identity);

  return {
    name: 'dropbox',
    type: 'dropbox',
    server: 'fake of Dropbox',
    client: 'dropbox',
    bytesAtOnce: 16 * 1024 ** 2,
    hopBytes: 16 * 1024 ** 2,
    async open(below, watch) {
      const { origin, wire, close } = await startFronted(endpoint, nameOf, watch);
      return {
        wire,
        close,
        settings: {
          DROPBOX_APP_KEY: app.key,
          DROPBOX_APP_SECRET: app.secret,
          DROPBOX_REFRESH_TOKEN: refreshToken,
          DROPBOX_REMOTE_PATH: below,
          DROPBOX_ENDPOINT: origin,
          DROPBOX_OAUTH2_ENDPOINT: origin,
        },
        async put(path, contents) {
          await client().filesUpload({ path: `/${below}/${path}`, contents });
        },
        async sizeOf(path) {
          try {
            const { result } = await client().filesGetMetadata({ path: `/${below}/${path}` });
            return found.parse(result).size;
          } catch (error) {
            if (error instanceof DropboxResponseError && error.status === 409) return undefined;
            throw error;
          }
        },
        async read(path) {
          const { result } = await client().filesDownload({ path: `/${below}/${path}` });
          return downloaded.parse(result).fileBinary;
        },
        async contents() {
          // The root is always there.
          const { result } = await client().filesListFolder({ path: '', recursive: true });
          return entry
            .array()
            .parse(result.entries)
            .filter((one) => one['.tag'] === 'file')
            .filter((one) => one.path_display.startsWith(`/${below}/`))
            .map((one) => one.path_display.slice(below.length + 2));
        },
      };
    },
    halt: () => server.halt('SIGKILL'),
    start: server.start,
    stop: () => server.halt('SIGKILL'),
  };
}

function nameOf({ path, headers }: Seen): string | undefined {
  const route = path.replace(/^\/(2\/)?/, '');
  const given = argument.safeParse(JSON.parse(String(headers['dropbox-api-arg'] ?? '{}'))).data;
  switch (route) {
    case 'files/upload_session/start':
      return 'session begun';
    case 'files/upload_session/append_v2': {
      if (given?.close) return 'session closed';
      const offset = given?.cursor?.offset ?? 0;
      // At offset 1 Ferry asks whether there is such a session, which is refused.
      return offset === 1 ? undefined : partAt(offset, 16 * 1024 ** 2);
    }
    case 'files/upload_session/finish':
      return 'publish';
    case 'files/delete_v2':
      return 'removed';
    default:
      return undefined;
  }
}
