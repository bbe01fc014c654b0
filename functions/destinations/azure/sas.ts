import type { Parsed } from '../../core/problem.ts';
import { Secret } from '../../core/secret.ts';
import type { Account } from './credentials.ts';
import { publicEndpoint } from './endpoint.ts';
import { refuse } from './refusal.ts';
import { type Beside, splitSasUrl } from './sas-url.ts';

/**
 * Reads AZURE_STORAGE_SAS: the token alone, or the whole URL of an account or a container.
 * @param now epoch ms
 */
export function parseSas(given: string, beside: Beside, now: number): Parsed<Account> {
  const url = urlIn(given);
  const credentials = parseSasToken(given, now);
  if (!credentials.ok) return credentials;
  if (url) {
    const found = splitSasUrl(url, beside);
    return found.ok
      ? { ok: true, value: { ...found.value, credentials: credentials.value } }
      : found;
  }
  const { account } = beside;
  const endpoint = beside.endpoint ?? (account === undefined ? undefined : publicEndpoint(account));
  if (endpoint === undefined) {
    return refuse('AZURE_STORAGE_ACCOUNT_NAME', {
      problem: 'A token alone does not tell the account.',
      remedy: 'Give AZURE_STORAGE_ACCOUNT_NAME, or the whole URL in AZURE_STORAGE_SAS.',
    });
  }
  return { ok: true, value: { endpoint, credentials: credentials.value } };
}

/** As much of AZURE_STORAGE_SAS as can be read without any other setting. */
export function parseSasToken(given: string, now: number): Parsed<Account['credentials']> {
  const token = urlIn(given)?.search.slice(1) ?? given.replace(/^\?/, '');
  return parseToken(token, now, 'AZURE_STORAGE_SAS');
}

function urlIn(given: string): URL | null {
  return /^https?:\/\//i.test(given) ? URL.parse(given) : null;
}

/**
 * Reads the token of a shared access signature
 * (learn.microsoft.com/rest/api/storageservices/create-service-sas).
 * @param now epoch ms, for what has run out
 * @param path the setting that it came from
 */
export function parseToken(
  token: string,
  now: number,
  path: string,
): Parsed<Account['credentials']> {
  const fields = new URLSearchParams(token);
  if (!fields.has('sig') || !fields.has('sv')) {
    return refuse(path, {
      problem: 'This is not a shared access signature.',
      remedy: 'Give the token (sv=…&sig=…) or the whole URL that Azure shows with it.',
    });
  }
  const expiry = Date.parse(fields.get('se') ?? '');
  if (expiry <= now) {
    return refuse(path, {
      problem: `The shared access signature ran out on ${new Date(expiry).toISOString()}.`,
      remedy: 'Make a new one that lasts longer.',
    });
  }
  // Stored access policies keep permissions on the server, and then there is no `sp`.
  const permissions = fields.get('sp');
  const missing = permissions === null ? [] : missingIn(permissions);
  if (missing.length > 0) {
    return refuse(path, {
      problem: `The shared access signature lacks ${missing.join(' and ')}.`,
      remedy: 'Make one with the permissions read, create, write, delete and list.',
    });
  }
  // The signature alone is as good as the whole, and is repeated in other company.
  const signature = new Secret(fields.get('sig') ?? '');
  return { ok: true, value: { with: 'sas', token: new Secret(token), signature } };
}

/** What no delivery does without: what was written is looked at. Delete and list serve for tidying. */
function missingIn(permissions: string): string[] {
  return [
    ...(permissions.includes('r') ? [] : ['read (r)']),
    ...(/[cw]/.test(permissions) ? [] : ['create (c) or write (w)']),
  ];
}
