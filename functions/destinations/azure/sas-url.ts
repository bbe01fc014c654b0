import { isIP } from 'node:net';
import type { Parsed } from '../../core/problem.ts';
import { withOneSlash } from './endpoint.ts';
import { refuse } from './refusal.ts';

/** What other settings say of the account that a signed URL is for. */
export interface Beside {
  readonly account: string | undefined;
  /** AZURE_STORAGE_ENDPOINT with the account filled in. */
  readonly endpoint: URL | undefined;
}

/** What a signed URL is for. */
interface SignedFor {
  readonly endpoint: URL;
  readonly container?: string | undefined;
}

/** Where Azurite listens when nothing else is said: learn.microsoft.com/azure/storage/common/storage-use-azurite */
const AZURITE_PORT = '10000';

/**
 * Finds account and container in the address of either. Other settings may not contradict it, since
 * the signature holds for that account alone.
 */
export function splitSasUrl(url: URL, beside: Beside): Parsed<SignedFor> {
  const { account, folder } = placeOf(url);
  if (account !== undefined && beside.account !== undefined && account !== beside.account) {
    return refuse('AZURE_STORAGE_ACCOUNT_NAME', {
      problem: `This is "${beside.account}", but the URL in AZURE_STORAGE_SAS is for the account "${account}".`,
      remedy: 'Make both the same, or leave AZURE_STORAGE_ACCOUNT_NAME out.',
    });
  }
  const endpoint = beside.endpoint ?? withOneSlash(new URL(folder, url.origin));
  const whole = withOneSlash(url).href;
  if (!whole.startsWith(endpoint.href)) {
    return refuse('AZURE_STORAGE_ENDPOINT', {
      problem: `This is ${endpoint.href}, but the URL in AZURE_STORAGE_SAS is at ${whole}.`,
      remedy: 'Leave AZURE_STORAGE_ENDPOINT out, or give the token alone in AZURE_STORAGE_SAS.',
    });
  }
  const [container, ...more] = namesIn(whole.slice(endpoint.href.length));
  if (more.length > 0) {
    return refuse('AZURE_STORAGE_SAS', {
      problem: 'The URL goes further than to a container.',
      remedy:
        'Give the URL of the account or the container, not of a file. Where folders come before the container, give the address up to it in AZURE_STORAGE_ENDPOINT.',
    });
  }
  return { ok: true, value: { endpoint, container } };
}

/**
 * The account is in the host at Azure, and nowhere on a domain of one's own. Azurite has it as the
 * first folder where the host cannot tell it.
 */
function placeOf(url: URL): { account?: string | undefined; folder: string } {
  const { hostname, port, pathname } = url;
  if (hostname.includes('.blob.')) return { account: hostname.split('.')[0], folder: '/' };
  const isNumber = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
  if (!isNumber && hostname.includes('.') && port !== AZURITE_PORT) return { folder: '/' };
  const [account] = namesIn(pathname);
  return { account, folder: `/${account ?? ''}` };
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}
