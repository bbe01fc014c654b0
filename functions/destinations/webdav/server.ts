import { Readable } from 'node:stream';
import type { WebDAVClient } from 'webdav';
import type { Egress, Purpose } from '../../core/egress.ts';
import type { FerryError } from '../../core/errors.ts';
import { createAgents } from '../http/agents.ts';
import { sendAgain, sendInTime } from '../http/deadline.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import { notWebDav, refused, webdavError } from './errors.ts';
import { createLogin } from './login.ts';
import { redirected } from './redirect.ts';
import { encodeNames, namesOf } from './remote-path.ts';
import type { WebDavSettings } from './settings.ts';
import { type Answer, isAnswer } from './transport.ts';

/** Parts under way and a few small requests beside them. */
const SOCKETS = 16;
/** Answers that are read whole: a listing of some ten thousand files. */
const LONGEST_TEXT = 32 * 1024 * 1024;

export const PURPOSE: Purpose = {
  type: 'webdav',
  settings: { host: 'WEBDAV_URL', port: 'WEBDAV_URL' },
};

export interface DavRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | Readable;
  /** Bytes of a body that is a stream, or that the server has to move; a request is given time for them. */
  readonly length?: number;
  /** Statuses besides 2xx that are no error. */
  readonly expect?: readonly number[];
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The server of one user, and the one way to talk to it. */
export interface Server {
  readonly settings: WebDavSettings;
  readonly egress: Egress;
  /** Names of folders that are known to be there, joined by slashes. */
  readonly knownFolders: Set<string>;
  /** Address of a file, for a path below the user's folder. */
  fileUrl(path: string): string;
  /** Address of a folder, with a slash at its end. */
  folderUrl(path: string): string;
  /**
   * Sends one idempotent request, and again where it breaks on the way. Ends as soon as the signal is
   * aborted.
   * @throws FerryError for whatever goes wrong, and for each status that is not expected
   */
  call(signal: AbortSignal, request: DavRequest): Promise<Reply>;
  /** The same, sent once: for what may have happened although the answer is missing. */
  callOnce(signal: AbortSignal, request: DavRequest): Promise<Reply>;
  /** The same as `call`, with the body left to be read or destroyed. */
  open(signal: AbortSignal, request: DavRequest): Promise<Answer>;
  close(): void;
}

/** Makes no connection yet. */
export function openServer(settings: WebDavSettings, egress: Egress): Server {
  const agents = createAgents(settings, SOCKETS, egress, PURPOSE);
  const stranger = createLogin({ ...settings, login: undefined }, agents, undefined);
  let client: WebDAVClient | undefined;
  let loggingIn: Promise<WebDAVClient> | undefined;

  /** The first request goes without a login, so that the server says which kind it wants. */
  const logIn = async (signal: AbortSignal) => {
    if (!settings.login) return stranger;
    const url = settings.url.href;
    const asking = { method: 'PROPFIND', url, headers: { depth: '0' } };
    const answer = await exchange(stranger, asking, signal);
    const { status, challenges } = answer;
    // A server in trouble does not tell.
    if ((status >= 300 && status < 400) || status === 429 || status >= 500) {
      throw refusal(answer, asking);
    }
    answer.body.resume();
    if (status === 401) return createLogin(settings, agents, challenges);
    if (settings.url.protocol === 'https:') return createLogin(settings, agents, undefined);
    if (!answer.ok) return stranger;
    // Some ask only those who write. What is there already is not made again (RFC 4918, 9.3.1).
    const writing = await exchange(stranger, { method: 'MKCOL', url }, signal);
    writing.body.resume();
    return writing.status === 401 ? createLogin(settings, agents, writing.challenges) : stranger;
  };
  /** Asked once, also by requests that come together. */
  const session = async (signal: AbortSignal) => {
    if (client) return client;
    loggingIn ??= logIn(signal).finally(() => {
      loggingIn = undefined;
    });
    const loggedIn = await loggingIn;
    client ??= loggedIn;
    return client;
  };
  /** Sends without a login until the server asks for one, where everybody on the way could read it. */
  const send = async (request: DavRequest, signal: AbortSignal) => {
    const sender = await session(signal);
    const answer = await exchange(sender, request, signal);
    if (answer.status !== 401 || sender !== stranger || !settings.login) return answer;
    if (client === stranger) client = createLogin(settings, agents, answer.challenges);
    if (request.body instanceof Readable) throw uploadLost('the server asks for a login after all');
    return exchange(await session(signal), request, signal);
  };
  const refusal = (answer: Answer, { method, url }: DavRequest): FerryError => {
    answer.body.destroy();
    if (answer.status >= 300 && answer.status < 400) {
      return redirected(new URL(url), settings.url, answer.headers.get('location'));
    }
    return refused(answer, method, url === settings.url.href);
  };
  const attempt = async (request: DavRequest, signal: AbortSignal) => {
    const answer = await send(request, signal);
    const isExpected = answer.ok || request.expect?.includes(answer.status);
    if (!isExpected) throw refusal(answer, request);
    return answer;
  };
  const once = async <T>(
    signal: AbortSignal,
    request: DavRequest,
    take: (answer: Answer) => Promise<T>,
  ): Promise<T> => {
    try {
      const bytes = request.length ?? (Buffer.isBuffer(request.body) ? request.body.length : 0);
      return await sendInTime(signal, bytes, async (inTime) =>
        take(await attempt(request, inTime)),
      );
    } catch (thrown) {
      throw webdavError(thrown, signal);
    }
  };
  const base = namesOf(settings.folder);
  const at = (path: string) => `${settings.url.href}${encodeNames([...base, ...namesOf(path)])}`;

  return {
    settings,
    egress,
    knownFolders: new Set(),
    fileUrl: at,
    folderUrl: (path) => at(path).replace(/\/*$/, '/'),
    call: (signal, request) => sendAgain(signal, () => once(signal, request, readReply)),
    callOnce: (signal, request) => once(signal, request, readReply),
    open: (signal, request) => sendAgain(signal, () => once(signal, request, async (it) => it)),
    close() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

/** One request through the package, which throws what we want to look at. */
async function exchange(
  client: WebDAVClient,
  { method, url, headers, body }: DavRequest,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const answer: unknown = await client.customRequest('', {
      ...{ method, url, signal, headers: { ...headers } },
      ...(body === undefined ? {} : { data: body }),
    });
    if (isAnswer(answer)) return answer;
  } catch (thrown) {
    if (thrown instanceof Error && 'response' in thrown && isAnswer(thrown.response)) {
      return thrown.response;
    }
    throw thrown;
  }
  throw notWebDav();
}

async function readReply({ status, headers, body }: Answer): Promise<Reply> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > LONGEST_TEXT) throw notWebDav();
  }
  return { status, headers, text: Buffer.concat(chunks).toString() };
}
