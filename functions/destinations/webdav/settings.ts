import * as z from 'zod';
import type { Traits } from '../../core/policy.ts';
import type { Parsed, Problem } from '../../core/problem.ts';
import type { Secret } from '../../core/secret.ts';
import { addressOf } from '../http/address.ts';
import { certificates } from '../http/certificates.ts';
import { folder } from '../http/folder.ts';
import { httpTraits, type Trust, trustProblems } from '../http/trust.ts';
import { flag, issue, secret, text } from '../setting.ts';

/** What the driver needs, checked and put together. */
export interface WebDavSettings extends Trust {
  /** With exactly one slash at its end; no user name, no query. */
  readonly url: URL;
  /** Folders below the URL without slashes at either end; '' for none. */
  readonly folder: string;
  /** Left out where the server asks nobody who they are. */
  readonly login?: Login | undefined;
}

export interface Login {
  readonly username: string;
  readonly password: Secret;
}

const url = text.transform((value, context) => {
  const found = /^https?:\/\//i.test(value) ? URL.parse(value) : null;
  const problem = found === null ? notAnAddress(value) : unwanted(found);
  if (found !== null && problem === undefined) return withOneSlash(found);
  context.addIssue(problem ?? notAnAddress(value));
  return z.NEVER;
});

function notAnAddress(value: string): string {
  const [, scheme] = /^(?:web)?(davs?):\/\//i.exec(value) ?? [];
  const protocol = scheme?.toLowerCase() === 'dav' ? 'http' : 'https';
  return issue(
    'This is not a web address.',
    scheme === undefined
      ? 'Write it like https://cloud.example.com/remote.php/dav/files/alice.'
      : `Begin it with ${protocol}:// instead.`,
  );
}

function unwanted({ username, password, search, hash }: URL): string | undefined {
  if (username !== '' || password !== '') {
    return issue(
      'The address holds a user name or a password.',
      'Take them out, up to and including the @, and give them as WEBDAV_USERNAME and WEBDAV_PASSWORD.',
    );
  }
  if (search === '' && hash === '') return undefined;
  return issue(
    'The address holds more than a folder: something follows a "?" or "#".',
    'Give the address without it; where it belongs to the name of a folder, write %3F or %23.',
  );
}

function withOneSlash(given: URL): URL {
  const copy = new URL(given.origin);
  copy.pathname = `${given.pathname.replace(/\/+$/, '')}/`;
  return copy;
}

// RFC 7617, 2: a user name ends at the first colon.
const username = text.transform((value, context) => {
  if (!value.includes(':')) return value;
  context.addIssue(
    issue('A user name cannot hold a colon.', 'Give the user name alone; no password with it.'),
  );
  return z.NEVER;
});

/** Settings under the names of offen's docker-volume-backup, with a certificate besides. */
export const webDavSchema = z.object({
  WEBDAV_URL: url,
  WEBDAV_PATH: folder.optional(),
  WEBDAV_USERNAME: username.optional(),
  WEBDAV_PASSWORD: secret.optional(),
  WEBDAV_URL_INSECURE: flag.optional(),
  WEBDAV_URL_CA_CERT: certificates.optional(),
});

type Given = z.output<typeof webDavSchema>;

const TRUST = {
  address: 'WEBDAV_URL',
  insecure: 'WEBDAV_URL_INSECURE',
  authority: 'WEBDAV_URL_CA_CERT',
  toHttps: 'begin WEBDAV_URL with https',
};

/** What one setting says about another, and the shape that the driver wants. */
export function toWebDavSettings(given: Given): Parsed<WebDavSettings> {
  const trust = {
    insecure: given.WEBDAV_URL_INSECURE ?? false,
    authorities: given.WEBDAV_URL_CA_CERT ?? [],
  };
  const problems = [
    ...loginProblems(given),
    ...trustProblems(TRUST, trust, addressOf(given.WEBDAV_URL).protocol),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const { WEBDAV_USERNAME: username, WEBDAV_PASSWORD: password } = given;
  const login = username !== undefined && password !== undefined && { username, password };
  return {
    ok: true,
    value: {
      url: given.WEBDAV_URL,
      folder: given.WEBDAV_PATH ?? '',
      ...(login ? { login } : {}),
      ...trust,
    },
  };
}

/** What the operator's policy looks at. */
export function webDavTraits(given: Given): Traits {
  return httpTraits(TRUST, given.WEBDAV_URL_INSECURE, addressOf(given.WEBDAV_URL));
}

function* loginProblems(given: Given): Generator<Problem> {
  const names = ['WEBDAV_USERNAME', 'WEBDAV_PASSWORD'] as const;
  for (const [path, other] of [names, names.toReversed()]) {
    if (path === undefined || other === undefined) continue;
    if (given[path] === undefined && given[other] !== undefined) {
      yield {
        path,
        problem: `${other} is given, and this is missing.`,
        remedy: `Give both, or neither for a server that asks nobody who they are.`,
      };
    }
  }
}
