import { mkdir, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { z } from 'zod';
import { startChildServer } from '../../test/crash/places/child-server.ts';
import { createAuthority } from '../../test/servers/certificates.ts';
import type { Place } from '../place.ts';
import { callJson, sendBytes } from '../push.ts';

const PROCESS = new URL('../processes/dropbox.ts', import.meta.url);
/** The hosts that rclone knows; it cannot be told of others. */
const HOSTS = ['api.dropboxapi.com', 'content.dropboxapi.com'];
/** One request has at most 150 MiB (files.stone, `payload_too_large`). */
const LARGEST_BODY = 128 * 1024 ** 2;
const TOKEN_MS = 4 * 3_600_000;
const tellings = z.object({
  endpoint: z.string(),
  app: z.object({ key: z.string(), secret: z.string() }),
  refreshToken: z.string(),
  accessToken: z.string(),
});
const found = z.object({ size: z.number() });

/**
 * The fake of Dropbox, in a process of its own. rclone always speaks TLS with Dropbox' own hosts, so
 * both tools do, with certificates of an authority made for this run, and both over a wire.
 */
export async function startDropbox(scratch: string): Promise<Place> {
  const folder = join(scratch, 'dropbox');
  await mkdir(folder, { recursive: true });
  const authority = await createAuthority();
  const names = ['IP:127.0.0.1', ...HOSTS.map((host) => `DNS:${host}`)].join(',');
  const { key, cert } = await authority.issue(names);
  await authority.remove();
  const ca = authority.pem;
  const caFile = join(folder, 'authority.pem');
  await writeFile(caFile, ca);
  const server = await startChildServer(PROCESS, () => ({ folder, key, cert }));
  const { endpoint, app, refreshToken, accessToken } = tellings.parse(server.told);
  const { hostname: host, port } = new URL(endpoint);
  const Authorization = `Bearer ${accessToken}`;
  const expiry = new Date(Date.now() + TOKEN_MS).toISOString();
  const token = { access_token: accessToken, token_type: 'bearer', refresh_token: refreshToken };
  const call = (route: string, argument: object) =>
    callJson(`${endpoint}/2/${route}`, argument, { ca, headers: { Authorization } });

  return {
    type: 'dropbox',
    server: 'fake of Dropbox',
    address: { host, port: Number(port) },
    needsProxy: true,
    environment: { NODE_EXTRA_CA_CERTS: caFile },
    settings: (line, below) => ({
      DROPBOX_APP_KEY: app.key,
      DROPBOX_APP_SECRET: app.secret,
      DROPBOX_REFRESH_TOKEN: refreshToken,
      DROPBOX_REMOTE_PATH: below,
      DROPBOX_ENDPOINT: `https://127.0.0.1:${line.port}`,
      DROPBOX_OAUTH2_ENDPOINT: `https://127.0.0.1:${line.port}`,
    }),
    rclone: (line) => ({
      root: '',
      options: {
        TYPE: 'dropbox',
        CLIENT_ID: app.key,
        CLIENT_SECRET: app.secret,
        TOKEN: JSON.stringify({ ...token, expiry }),
      },
      environment: {
        HTTPS_PROXY: `http://127.0.0.1:${line.proxyPort}`,
        RCLONE_CA_CERT: caFile,
      },
    }),
    /** What is stored is never made a file: this is about the bytes. */
    async push(line, _path, bytes) {
      using agent = new DisposableStack();
      const one = agent.adopt(new Agent({ keepAlive: true, maxSockets: 1 }), (a) => a.destroy());
      const headers = {
        Authorization,
        'Content-Type': 'application/octet-stream',
        'Dropbox-API-Arg': JSON.stringify({ close: true }),
      };
      for (let left = bytes; left > 0; left -= LARGEST_BODY) {
        await sendBytes(
          `https://127.0.0.1:${line.port}/2/files/upload_session/start`,
          Math.min(left, LARGEST_BODY),
          { method: 'POST', ca, agent: one, headers },
        );
      }
    },
    sizeOf: async (path) =>
      found.parse(await call('files/get_metadata', { path: `/${path}` })).size,
    async remove(path) {
      await call('files/delete_v2', { path: `/${path}` }).catch(() => undefined);
    },
    stop: () => server.halt('SIGKILL'),
  };
}
