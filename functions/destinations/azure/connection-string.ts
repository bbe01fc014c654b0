import type { Parsed } from '../../core/problem.ts';
import { Secret } from '../../core/secret.ts';
import type { Account } from './credentials.ts';
import { publicEndpoint, withOneSlash } from './endpoint.ts';
import { refuse } from './refusal.ts';
import { parseToken } from './sas.ts';

const SETTING = 'AZURE_STORAGE_CONNECTION_STRING';

/**
 * Reads a connection string, with a key or with a shared access signature
 * (learn.microsoft.com/azure/storage/common/storage-configure-connection-string).
 * @param now epoch ms
 */
export function parseConnectionString(given: string, now: number): Parsed<Account> {
  const fields = new Map<string, string>();
  for (const field of given.split(';').filter((text) => text.trim() !== '')) {
    const [name = '', ...rest] = field.split('=');
    fields.set(name.trim().toLowerCase(), rest.join('=').trim());
  }
  if (fields.get('usedevelopmentstorage')?.toLowerCase() === 'true') {
    return refuse(SETTING, {
      problem: 'This means a storage emulator on your own machine, which Ferry cannot reach.',
      remedy: 'Give the connection string of a storage account.',
    });
  }
  const account = fields.get('accountname');
  const blob = fields.get('blobendpoint');
  const endpoint = blob === undefined ? fromAccount(fields) : toUrl(blob);
  if (!endpoint) {
    return refuse(SETTING, {
      problem:
        blob === undefined
          ? 'The connection string has neither AccountName nor BlobEndpoint.'
          : 'BlobEndpoint in the connection string is not an address.',
      remedy: 'Copy it again from "Access keys" of the storage account.',
    });
  }
  const sas = fields.get('sharedaccesssignature');
  if (sas !== undefined) {
    const credentials = parseToken(sas.replace(/^\?/, ''), now, SETTING);
    return credentials.ok
      ? { ok: true, value: { endpoint, credentials: credentials.value } }
      : credentials;
  }
  const key = fields.get('accountkey');
  if (account !== undefined && key !== undefined && isKey(key)) {
    const credentials = { with: 'key', account, key: new Secret(key) } as const;
    return { ok: true, value: { endpoint, credentials } };
  }
  return refuse(SETTING, {
    problem:
      'The connection string has no usable AccountKey with its AccountName, and no SharedAccessSignature.',
    remedy: 'Copy it again, whole, from "Access keys" of the storage account.',
  });
}

/** Keys are base64 of 64 bytes; other servers may have shorter ones. */
export function isKey(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
}

function fromAccount(fields: ReadonlyMap<string, string>): URL | undefined {
  const account = fields.get('accountname');
  if (account === undefined || !/^[a-z0-9]{3,24}$/.test(account)) return undefined;
  return publicEndpoint(
    account,
    fields.get('endpointsuffix'),
    fields.get('defaultendpointsprotocol'),
  );
}

function toUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url && /^https?:$/.test(url.protocol) ? withOneSlash(url) : undefined;
}
