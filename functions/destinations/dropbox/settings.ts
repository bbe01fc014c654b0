import * as z from 'zod';
import type { Traits } from '../../core/policy.ts';
import type { Parsed } from '../../core/problem.ts';
import type { Secret } from '../../core/secret.ts';
import { addressOf } from '../http/address.ts';
import { folder } from '../http/folder.ts';
import { integer, issue, secret, text } from '../setting.ts';
import { pathProblem } from './names.ts';

/** What the driver needs, checked and put together. */
export interface DropboxSettings {
  readonly appKey: string;
  /** Not needed by a token that was made with a code verifier (RFC 7636). */
  readonly appSecret?: Secret | undefined;
  readonly refreshToken: Secret;
  /** Folders below the root of what the app sees, without slashes at either end; '' for the root. */
  readonly folder: string;
  /** How many requests with content may be under way. */
  readonly concurrency: number;
  /** Another server for all routes than Dropbox's own, without a slash at its end. */
  readonly endpoint?: URL | undefined;
  /** Another server for tokens. */
  readonly oauthEndpoint?: URL | undefined;
}

const DEFAULT_CONCURRENCY = 4;
/** More than this gains nothing: all of it goes into one account. */
const MOST_CONCURRENCY = 16;

const appKey = text.transform((value, context) => {
  if (/^[A-Za-z0-9]+$/.test(value)) return value;
  context.addIssue(
    issue(
      'This is not the key of a Dropbox app.',
      'Copy "App key" from the settings of the app in the App Console (dropbox.com/developers/apps).',
    ),
  );
  return z.NEVER;
});

const appSecret = secret.transform((value, context) => {
  if (value.isSealed || /^[A-Za-z0-9]+$/.test(value.reveal().trim())) return value;
  context.addIssue(
    issue(
      'This is not the secret of a Dropbox app.',
      'Copy "App secret" from the settings of the app, or leave it out where the token came from ferry dropbox connect.',
    ),
  );
  return z.NEVER;
});

const refreshToken = secret.transform((value, context) => {
  if (value.isSealed) return value;
  const token = value.reveal().trim();
  if (token.startsWith('sl.')) {
    context.addIssue(
      issue(
        'This is an access token, as the App Console generates it; it stops working after four hours.',
        'Make a refresh token, which lasts: ferry dropbox connect.',
      ),
    );
    return z.NEVER;
  }
  if (/^[\w.-]+$/.test(token)) return value;
  context.addIssue(
    issue(
      'This is not a refresh token.',
      'Copy it again, whole, or make a new one: ferry dropbox connect.',
    ),
  );
  return z.NEVER;
});

const remotePath = folder.transform((value, context) => {
  const problem = value === '' ? undefined : pathProblem(value);
  if (problem === undefined) return value.normalize('NFC');
  context.addIssue(issue(`Dropbox cannot keep ${problem}.`, 'Choose another name for the folder.'));
  return z.NEVER;
});

const address = text.transform((value, context) => {
  const url = URL.parse(value);
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '') {
    url.pathname = url.pathname.replace(/\/+$/, '');
    return url;
  }
  context.addIssue(
    issue(
      'This is not the address of a server.',
      'Write it like https://dropbox.example.com, or leave it out to use Dropbox itself.',
    ),
  );
  return z.NEVER;
});

/** Settings under the names of offen's docker-volume-backup. */
export const dropboxSchema = z.object({
  DROPBOX_APP_KEY: appKey,
  DROPBOX_APP_SECRET: appSecret.optional(),
  DROPBOX_REFRESH_TOKEN: refreshToken,
  DROPBOX_REMOTE_PATH: remotePath.optional(),
  DROPBOX_CONCURRENCY_LEVEL: integer(1, MOST_CONCURRENCY).optional(),
  /** Every route goes to `<this>/2/<route>`. */
  DROPBOX_ENDPOINT: address.optional(),
  /** Tokens come from `<this>/oauth2/token`. */
  DROPBOX_OAUTH2_ENDPOINT: address.optional(),
});

/** The shape that the driver wants; no setting says anything about another. */
export function toDropboxSettings(given: z.output<typeof dropboxSchema>): Parsed<DropboxSettings> {
  return {
    ok: true,
    value: {
      appKey: given.DROPBOX_APP_KEY,
      appSecret: given.DROPBOX_APP_SECRET,
      refreshToken: given.DROPBOX_REFRESH_TOKEN,
      folder: given.DROPBOX_REMOTE_PATH ?? '',
      concurrency: given.DROPBOX_CONCURRENCY_LEVEL ?? DEFAULT_CONCURRENCY,
      endpoint: given.DROPBOX_ENDPOINT,
      oauthEndpoint: given.DROPBOX_OAUTH2_ENDPOINT,
    },
  };
}

/** What the operator's policy looks at; nothing where Dropbox itself is asked. */
export function dropboxTraits(settings: z.output<typeof dropboxSchema>): Traits {
  const given = [
    { setting: 'DROPBOX_ENDPOINT', url: settings.DROPBOX_ENDPOINT },
    { setting: 'DROPBOX_OAUTH2_ENDPOINT', url: settings.DROPBOX_OAUTH2_ENDPOINT },
  ].flatMap(({ setting, url }) => (url ? [{ setting, address: addressOf(url) }] : []));
  return {
    hosts: given.map(({ setting, address }) => ({
      settings: { host: setting, port: setting },
      host: address.host,
      port: address.port,
    })),
    plainHttp: given
      .filter(({ address }) => address.protocol === 'http')
      .map(({ setting }) => ({ setting, toHttps: `begin ${setting} with https` })),
  };
}
