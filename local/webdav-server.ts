import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { listenOnLoopback, stopServer } from './loopback.ts';

export interface WebDavServerOptions {
  /** Holds one folder for each user, made when missing. */
  readonly root: string;
  /** Password by user name. */
  readonly users: Readonly<Record<string, string>>;
  /** A free one unless given. */
  readonly port?: number;
}

export interface RunningWebDavServer {
  /** For every user, who sees nothing but their own folder there: `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  /** Ends every request in the middle of whatever it does, as a dying server would. */
  stop(): Promise<void>;
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A WebDAV server on loopback that needs nothing but Node (the package webdav-server), for users with
 * passwords (Basic). It writes a PUT straight into its file, takes Content-Range for a whole file, and
 * looks at no If-None-Match; MOVE onto a file removes that file first.
 */
export async function startWebDavServer(
  options: WebDavServerOptions,
): Promise<RunningWebDavServer> {
  const places = new Map<string, Serve>();
  for (const user of Object.keys(options.users)) {
    const folder = join(options.root, user);
    await mkdir(folder, { recursive: true });
    places.set(user, await serveFolder(folder));
  }
  const server = createServer((request, response) => {
    const user = userOf(request, options.users);
    const serve = user === undefined ? undefined : places.get(user);
    if (!serve) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="backups", charset="UTF-8"' });
      response.end();
      request.resume();
      return;
    }
    try {
      serve(request, response);
    } catch {
      // A path that is not percent-encoded as it should be.
      response.writeHead(400).end();
    }
  });
  // An archive may take as long as it takes.
  server.requestTimeout = 0;
  const port = await listenOnLoopback(server, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    stop: () => stopServer(server),
  };
}

/** A server for one folder and whoever is let in. */
async function serveFolder(folder: string): Promise<Serve> {
  // Loaded when it is wanted: it takes a fifth of a second.
  const { v2 } = await import('webdav-server');
  const owner = { uid: 'owner', username: 'owner', isAdministrator: true, isDefaultUser: false };
  const webdav = new v2.WebDAVServer({
    rootFileSystem: new v2.PhysicalFileSystem(folder),
    // Its own Basic refuses a password in whose Base64 is a plus sign, and cuts one at a colon.
    httpAuthentication: {
      askForAuthentication: () => ({}),
      // Nothing is required of a request that came this far.
      getUser: (_, answer) => answer(v2.Errors.MissingAuthorisationHeader, owner),
    },
  });
  return (request, response) => webdav.executeRequest(request, response);
}

/** The user whose name and password a request carries (RFC 7617, in UTF-8). */
function userOf(
  request: IncomingMessage,
  users: Readonly<Record<string, string>>,
): string | undefined {
  const encoded = /^basic +([\w+/]+=*) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const given = Buffer.from(encoded ?? '', 'base64').toString();
  const colon = given.indexOf(':');
  if (colon < 0) return undefined;
  const user = given.slice(0, colon);
  const password = Object.hasOwn(users, user) ? users[user] : undefined;
  return password !== undefined && password === given.slice(colon + 1) ? user : undefined;
}
