import type { Parsed } from '../../core/problem.ts';
import { Secret } from '../../core/secret.ts';
import type { Account } from './credentials.ts';
import { withOneSlash } from './endpoint.ts';
import { refuse } from './refusal.ts';

/**
 * Reads a shared access signature: the token alone, or the whole URL of an account or a container
 * (learn.microsoft.com/rest/api/storageservices/create-service-sas).
 * @param endpoint of the account, where another setting tells it
 * @param now epoch ms
 * @param path the setting that it came from
 */
export function parseSas(
  given: string,
  endpoint: URL | undefined,
  now: number,
  path = 'AZURE_STORAGE_SAS',
): Parsed<Account> {
  const url = /^https?:\/\//i.test(given) ? URL.parse(given) : undefined;
  const token = url ? url.search.slice(1) : given.replace(/^\?/, '');
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
  const told = url ? splitUrl(url) : { endpoint };
  if (told.endpoint === undefined) {
    return refuse('AZURE_STORAGE_ACCOUNT_NAME', {
      problem: 'A token alone does not tell the account.',
      remedy: 'Give AZURE_STORAGE_ACCOUNT_NAME, or the whole URL in AZURE_STORAGE_SAS.',
    });
  }
  const credentials = { with: 'sas', token: new Secret(token) } as const;
  return { ok: true, value: { ...told, endpoint: told.endpoint, credentials } };
}

/** What no delivery does without: what was written is looked at. Delete and list serve for tidying. */
function missingIn(permissions: string): string[] {
  return [
    ...(permissions.includes('r') ? [] : ['read (r)']),
    ...(/[cw]/.test(permissions) ? [] : ['create (c) or write (w)']),
  ];
}

/** An account's address has the container after it; Azurite's has the account as its first folder. */
function splitUrl(url: URL): { endpoint: URL; container?: string } {
  const names = url.pathname.split('/').filter((name) => name !== '');
  const isInHost = /\.blob\./.test(url.hostname);
  const folders = isInHost ? [] : names.slice(0, 1);
  const container = names[folders.length];
  const endpoint = withOneSlash(new URL(`/${folders.join('/')}`, url.origin));
  return container === undefined ? { endpoint } : { endpoint, container };
}
