import * as z from 'zod';
import {
  abortError,
  type ErrorCode,
  FerryError,
  type Retry,
  toFerryError,
} from '../../core/errors.ts';
import { describeNetworkErrors } from '../http/network-errors.ts';
import { waitAskedFor } from '../http/retry-after.ts';
import type { Answer } from './transport.ts';

type Meaning = readonly [code: ErrorCode, retry: Retry, message: string, scope?: 'archive'];

const LOGIN: Meaning = [
  'auth-refused',
  'never',
  'The server refuses the login. Check WEBDAV_USERNAME and WEBDAV_PASSWORD; with two-factor login an app password is needed.',
];
const BAD_NAME: Meaning = [
  'name-refused',
  'never',
  'The server cannot store a file under this name. Stage the archive under a shorter or plainer one.',
  'archive',
];
const BUSY: Meaning = [
  'throttled',
  'later',
  'The server is asking for fewer requests. Ferry tries again later.',
];
const FAILED: Meaning = [
  'server-error',
  'later',
  'The server reports an error of its own. Ferry tries again later; if it stays, its log says why.',
];
const NOT_UNDERSTOOD: Meaning = [
  'protocol',
  'never',
  'The server does not accept what WebDAV clients send. Check that WEBDAV_URL is the address of a WebDAV folder.',
];
const NO_ROOM: Meaning = [
  'no-space',
  'never',
  'The server has no room left. Free some, or raise the quota of WEBDAV_USERNAME.',
];
const TOO_LARGE: Meaning = [
  'too-large',
  'never',
  'The server, or a proxy before it, takes no request of this size. Raise client_max_body_size (nginx), LimitRequestBody (Apache), maxAllowedContentLength (IIS) or post_max_size (PHP); Cloudflare takes 100 MB at most, so give in WEBDAV_URL an address that does not lead through it.',
  'archive',
];

/** RFC 9110, 15; RFC 4918, 11; RFC 6585. */
const BY_STATUS: Readonly<Record<number, Meaning>> = {
  400: BAD_NAME,
  401: LOGIN,
  403: [
    'permission-denied',
    'never',
    'The server does not allow this. Let the user of WEBDAV_USERNAME read, write, rename and delete in WEBDAV_PATH, files too whose names begin with a dot.',
  ],
  404: ['not-found', 'never', 'There is no such file at the destination.', 'archive'],
  405: [
    'protocol',
    'never',
    'The server takes no files here. Check that WEBDAV_URL is the address of a WebDAV folder that can be written to.',
  ],
  408: ['timeout', 'now', 'The server waited too long for data. Ferry tries again.'],
  409: [
    'not-found',
    'never',
    'The folder is not there and cannot be made. Check that WEBDAV_URL is the address of a folder that exists.',
  ],
  413: TOO_LARGE,
  414: BAD_NAME,
  422: BAD_NAME,
  423: [
    'server-error',
    'later',
    'Somebody else has locked the file. Ferry tries again later.',
    'archive',
  ],
  429: BUSY,
  501: NOT_UNDERSTOOD,
  503: BUSY,
  507: NO_ROOM,
};

/** What servers answer that do not know the request that makes them WebDAV servers. */
const NO_PROPERTIES = [405, 415, 501];

const networkError = describeNetworkErrors({
  address: 'WEBDAV_URL',
  authority: "Paste your authority's certificate into WEBDAV_URL_CA_CERT.",
  plain: 'begin WEBDAV_URL with http',
  protocol: 'WebDAV',
});

/** What went wrong on the way, as the sentence that a user can act on. */
export function webdavError(thrown: unknown, signal: AbortSignal): FerryError {
  if (signal.aborted) return abortError(signal);
  return thrown instanceof FerryError ? thrown : networkError(thrown);
}

/**
 * The error that an answer stands for; nothing that the server wrote goes further, since it may quote us.
 * @param isBase whether WEBDAV_URL itself was asked for
 */
export function refused({ status, headers }: Answer, method: string, isBase: boolean): FerryError {
  // Of a file, 400 says that no file can have such a name (Nextcloud).
  const isUnknown = NO_PROPERTIES.includes(status) || (isBase && status === 400);
  if (method === 'PROPFIND' && isUnknown) return notWebDav();
  const fallback = status >= 500 ? FAILED : NOT_UNDERSTOOD;
  const [code, retry, text, scope] = BY_STATUS[status] ?? fallback;
  return new FerryError(code, text, {
    retry,
    scope: scope ?? 'destination',
    retryAfterMs: waitAskedFor(headers.get('retry-after')),
    cause: { status, method },
  });
}

const answered = z.object({ cause: z.object({ status: z.number() }) });

/** The status that an error of ours came of; undefined where the server did not answer. */
export function statusOf(error: unknown): number | undefined {
  return answered.safeParse(error).data?.cause.status;
}

/** What answers is a web server without WebDAV, or not at this address. */
export function notWebDav(): FerryError {
  return new FerryError(
    'protocol',
    'What answers is not a WebDAV server: it gives a web page or nothing that Ferry can read. Correct WEBDAV_URL; servers show the address for WebDAV in their settings.',
    { retry: 'never' },
  );
}

export function shortWrite(): FerryError {
  return new FerryError(
    'short-write',
    'The server has less than Ferry sent, although it said that all was well. It is sent again.',
    { retry: 'now', scope: 'archive' },
  );
}

/** A file is refused as if its folder were missing, which it is not: as IIS refuses a large one (404.13). */
export function filtered(cause: unknown): FerryError {
  const [code, retry, text] = TOO_LARGE;
  const names = 'IIS answers so too where its request filtering forbids a name.';
  return new FerryError(code, `${text} ${names}`, { retry, scope: 'archive', cause });
}

/** What servers answer to a MOVE of what is there, to a name that is free, where they do not do that. */
const NO_MOVE = [404, 405, 409, 412, 501];

/** What a refused MOVE stands for where source and folder are there: the server does not do it at all. */
export function moveRefused(thrown: unknown): FerryError {
  const error = toFerryError(thrown);
  if (!NO_MOVE.includes(statusOf(error) ?? 0)) return error;
  return new FerryError(
    'permission-denied',
    'The server does not rename files. Ferry needs the method MOVE, to show an archive only when it is whole: allow it (dav_methods for nginx, the verbs of request filtering for IIS).',
    { retry: 'never', cause: error.cause },
  );
}

/** The server has stored less than it was sent, and has no room for the rest. */
export function noRoom(): FerryError {
  const [code, retry, text] = NO_ROOM;
  return new FerryError(code, text, { retry });
}
