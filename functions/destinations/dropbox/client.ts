import type { IncomingMessage } from 'node:http';
import { Dropbox, DropboxResponseError } from 'dropbox';
import type { Egress } from '../../core/egress.ts';
import { sendAgain, sendInTime } from '../http/deadline.ts';
import { createTurnstile } from '../http/turnstile.ts';
import { dropboxError, isTokenRefused } from './errors.ts';
import { toApiPath } from './names.ts';
import type { DropboxSettings } from './settings.ts';
import { openTokens } from './tokens.ts';
import { openTransport } from './transport.ts';

const DOWNLOAD = 'https://content.dropboxapi.com/2/files/download';
/** As much of an error's text as is looked at. */
const LONGEST_ERROR = 64 * 1024;

/** One request by the official client, and what is made of its answer. */
type Request<T> = (client: Dropbox, options: { readonly signal: AbortSignal }) => Promise<T>;

/** The account of one user, and the one way to talk to it. */
export interface Account {
  readonly settings: DropboxSettings;
  readonly egress: Egress;
  /** A path below the user's folder as the API wants it. */
  pathOf(path: string): string;
  /**
   * Sends one idempotent request, and again where it breaks on the way or the token has run out. Ends
   * as soon as the signal is aborted.
   * @throws FerryError for whatever goes wrong
   */
  call<T>(signal: AbortSignal, request: Request<T>): Promise<T>;
  /** The same for a request with content, of which the user's settings allow so many at once. */
  send<T>(signal: AbortSignal, bytes: number, request: Request<T>): Promise<T>;
  /**
   * The same for one that puts a file in its place, one after the other: Dropbox locks the user's space
   * meanwhile and turns others away (developers.dropbox.com/dbx-performance-guide, "lock contention").
   */
  commit<T>(signal: AbortSignal, request: Request<T>): Promise<T>;
  /** The answer that brings a file; `range` as in RFC 9110, 14.2. */
  download(path: string, range: string | undefined, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** Makes no connection yet. */
export function openAccount(settings: DropboxSettings, egress: Egress): Account {
  const transport = openTransport(settings, egress);
  const tokens = openTokens(settings, transport);
  const turnstile = createTurnstile(settings.concurrency);
  const commits = createTurnstile(1);

  /** With a token that is accepted: one that is refused before its time is replaced, once. */
  const withToken = async <T>(signal: AbortSignal, work: (token: string) => Promise<T>) => {
    const token = await tokens.current(signal);
    try {
      return await work(token);
    } catch (thrown) {
      if (!isTokenRefused(thrown)) throw thrown;
      tokens.drop(token);
      return work(await tokens.current(signal));
    }
  };

  const attempt = <T>(
    signal: AbortSignal,
    bytes: number,
    work: (token: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> =>
    sendAgain(signal, async () => {
      try {
        return await withToken(signal, (token) =>
          sendInTime(signal, bytes, (inTime) => work(token, inTime)),
        );
      } catch (thrown) {
        throw dropboxError(thrown, signal);
      }
    });

  const call = <T>(signal: AbortSignal, bytes: number, request: Request<T>): Promise<T> =>
    attempt(signal, bytes, async (accessToken, inTime) => {
      // Without a refresh token of its own, so that it never asks for a token beside ours.
      const client = new Dropbox({ accessToken, fetch: transport.fetch });
      return request(client, { signal: inTime });
    });

  return {
    settings,
    egress,
    pathOf: (path) => toApiPath(settings.folder, path),
    call: (signal, request) => call(signal, 0, request),
    send: (signal, bytes, request) => turnstile(() => call(signal, bytes, request)),
    commit: (signal, request) => commits(() => call(signal, 0, request)),

    /** The official client reads a file into memory whole, so this request is ours. */
    download: (path, range, signal) =>
      attempt(signal, 0, async (token, inTime) => {
        const answer = await transport.send(DOWNLOAD, {
          method: 'POST',
          headers: {
            Authorization: `Bearer ${token}`,
            'Dropbox-API-Arg': headerSafe({ path: toApiPath(settings.folder, path) }),
            ...(range === undefined ? {} : { Range: range }),
          },
          signal: inTime,
        });
        const expected = range === undefined ? 200 : 206;
        if (answer.statusCode === expected) return answer;
        throw await toResponseError(answer);
      }),

    close: () => transport.close(),
  };
}

/** JSON in the ASCII that headers are made of: dropbox.com/developers/reference/json-encoding */
function headerSafe(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The error that the official client would have thrown. */
async function toResponseError(answer: IncomingMessage): Promise<DropboxResponseError<unknown>> {
  let text = '';
  for await (const chunk of answer) {
    text += chunk;
    if (text.length > LONGEST_ERROR) break;
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value));
  return new DropboxResponseError<unknown>(answer.statusCode ?? 500, headers, parseJson(text));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
