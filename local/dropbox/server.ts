import { mkdir } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { z } from 'zod';
import { listenOnLoopback, stopServer } from '../loopback.ts';
import { send, sendAnswer } from './answers.ts';
import { type Account, type App, openOAuth, SCOPES } from './oauth.ts';
import { badRequest, Refusal, routeError } from './refusal.ts';
import { ROUTES, type Route } from './routes.ts';
import { openSessions } from './sessions.ts';
import { openShelf } from './shelf.ts';

/** files.stone, `payload_too_large`. */
const LARGEST_BODY = 150 * 1024 * 1024;
/** What Dropbox itself puts on one page of a list; "approximate", files.stone says. */
const LIST_PAGE = 500;

export interface DropboxFakeOptions {
  /** Holds what is stored; made when missing. */
  readonly folder: string;
  /** Speaks https with this key and certificate, PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** A free port unless given. */
  readonly port?: number;
  /** Goes on with the sessions and files of an earlier fake in the same folder; its access tokens are gone. */
  readonly goesOn?: boolean;
  /** How many entries one page of a list holds. */
  readonly listPage?: number;
}

/** What becomes of the next requests to a route. */
export interface Fault {
  /** Such as `files/upload_session/append_v2`, or `oauth2/token`. */
  readonly route: string;
  /**
   * - `lose-answer`: the work is done, and the connection breaks before the answer.
   * - a Refusal: is the answer, and nothing is done.
   */
  readonly what: 'lose-answer' | Refusal;
  /** How many requests pass before it begins; 0 by default. */
  readonly after?: number;
  /** How many requests it meets; one by default. */
  readonly times?: number;
}

export interface DropboxFake {
  /** `http://127.0.0.1:<port>`, or https: for `2/…` and `oauth2/…` alike. */
  readonly endpoint: string;
  /** The app that is there from the beginning, with access to everything. */
  readonly app: App;
  readonly oauth: ReturnType<typeof openOAuth>;
  readonly sessions: ReturnType<typeof openSessions>;
  /** Adds an account; who follows an app's link in a browser is always the one added last. */
  addAccount(id: string, quota?: number): Account;
  script(fault: Fault): void;
  stop(): Promise<void>;
}

/**
 * A fake of Dropbox on loopback, for want of any server that can be run: the routes in `routes.ts` with
 * arguments, errors and limits as the public description of the API has them
 * (github.com/dropbox/dropbox-api-spec, dropbox.com/developers/documentation/http). What it stores is on
 * disk. `test/contract/dropbox-fake.test.ts` holds it against the official client and its types.
 *
 * What nobody has written down, and the fake therefore guesses: that a piece may come twice
 * (`sessions.repeated`), and that a committed session counts as closed.
 */
export async function startDropboxFake(options: DropboxFakeOptions): Promise<DropboxFake> {
  const { folder, tls, listPage = LIST_PAGE, port = 0, goesOn = false } = options;
  await mkdir(folder, { recursive: true });
  const oauth = openOAuth();
  const shelf = (name: string) => (goesOn ? openShelf(join(folder, `${name}.json`)) : undefined);
  const sessions = openSessions(folder, shelf('sessions'));
  const app = oauth.addApp({
    key: 'fakeappkey00001',
    secret: 'fakeappsecret01',
    access: 'full',
    name: 'Ferry',
    scopes: SCOPES,
  });
  const faults: { -readonly [Name in keyof Required<Fault>]: Fault[Name] & {} }[] = [];
  let visitor: Account | undefined;

  const faultFor = (route: string): Fault['what'] | undefined => {
    const fault = faults.find((one) => one.route === route && one.times > 0);
    if (!fault) return undefined;
    if (fault.after > 0) {
      fault.after -= 1;
      return undefined;
    }
    fault.times -= 1;
    return fault.what;
  };

  const callRoute = async (name: string, route: Route, request: IncomingMessage) => {
    const grant = oauth.enter(request.headers.authorization, route.scope);
    const body = await collect(request);
    const argument = readArgument(name, route, request, body);
    return route.answer({ grant, sessions, listPage, body }, argument);
  };

  const authorize = (query: URLSearchParams): string => {
    if (!visitor) throw new Refusal(403, 'Nobody is signed in.');
    return oauth.approve(query, visitor);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    const name = url.pathname.replace(/^\/(2\/)?/, '');
    const fault = faultFor(name);
    if (fault instanceof Refusal) {
      await collect(request).catch(() => undefined);
      throw fault;
    }
    const lose = fault === 'lose-answer';
    if (url.pathname === '/oauth2/authorize' && request.method === 'GET') {
      send(
        response,
        200,
        `<!doctype html><p>Your code: <code>${authorize(url.searchParams)}</code>`,
      );
      return;
    }
    if (request.method !== 'POST') throw new Refusal(405, 'Method Not Allowed');
    if (url.pathname === '/oauth2/token') {
      const form = new URLSearchParams([
        ...url.searchParams,
        ...new URLSearchParams((await collect(request)).toString()),
      ]);
      const granted = oauth.token(form, request.headers.authorization);
      if (lose) response.destroy();
      else send(response, 200, granted);
      return;
    }
    const route = url.pathname.startsWith('/2/') ? ROUTES[name] : undefined;
    if (!route) throw new Refusal(404, `Unknown API function: "${name}"`);
    const answer = await callRoute(name, route, request);
    if (lose) response.destroy();
    else await sendAnswer(request, response, answer);
  };

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch((thrown: unknown) => {
      if (response.headersSent) response.destroy();
      else if (thrown instanceof Refusal)
        send(response, thrown.status, thrown.body, thrown.headers);
      else send(response, 500, String(thrown));
    });
  };
  const server = tls ? createHttpsServer({ ...tls }, listener) : createHttpServer(listener);
  const bound = await listenOnLoopback(server, port);
  return {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${bound}`,
    app,
    oauth,
    sessions,
    addAccount(id, quota) {
      visitor = oauth.addAccount(id, quota, shelf(`account-${id}`));
      return visitor;
    },
    script({ route, what, after = 0, times = 1 }) {
      faults.push({ route, what, after, times });
    },
    stop: () => stopServer(server),
  };
}

function readArgument(name: string, route: Route, request: IncomingMessage, body: Buffer): unknown {
  const { headers } = request;
  if (!route.argument) return undefined;
  const where = route.style === 'rpc' ? 'request body' : 'HTTP header "Dropbox-API-Arg"';
  const type = headers['content-type'] ?? '';
  if (route.style === 'rpc' && !type.startsWith('application/json')) {
    throw badRequest(name, `Bad HTTP "Content-Type" header: "${type}".`);
  }
  if (route.style === 'upload' && type !== 'application/octet-stream') {
    throw badRequest(name, `Bad HTTP "Content-Type" header: "${type}".`);
  }
  const text = route.style === 'rpc' ? body.toString() : String(headers['dropbox-api-arg'] ?? '');
  // Node reads headers as Latin-1: what is beyond ASCII was not escaped.
  if (route.style !== 'rpc' && !/^[\x20-\x7e]*$/.test(text)) {
    throw badRequest(name, `${where}: could not decode input as JSON`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw badRequest(name, `${where}: could not decode input as JSON`);
  }
  const parsed = route.argument.safeParse(json);
  if (!parsed.success) throw badRequest(name, `${where}: ${z.prettifyError(parsed.error)}`);
  return json;
}

async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= LARGEST_BODY) chunks.push(chunk);
  }
  if (size > LARGEST_BODY) throw routeError(['payload_too_large']);
  return Buffer.concat(chunks);
}
