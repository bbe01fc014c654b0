import type { Parsed } from '../../core/problem.ts';
import type { Secret } from '../../core/secret.ts';
import { parseConnectionString } from './connection-string.ts';
import type { Account } from './credentials.ts';
import { toEndpoint } from './endpoint.ts';
import { refuse } from './refusal.ts';
import { parseSas } from './sas.ts';

/** What settings say of the account. */
interface Given {
  readonly AZURE_STORAGE_ACCOUNT_NAME?: string | undefined;
  readonly AZURE_STORAGE_PRIMARY_ACCOUNT_KEY?: Secret | undefined;
  readonly AZURE_STORAGE_CONNECTION_STRING?: Secret | undefined;
  readonly AZURE_STORAGE_SAS?: Secret | undefined;
  readonly AZURE_STORAGE_ENDPOINT?: string | undefined;
}

const NO_CREDENTIALS = {
  problem:
    'There is no key. docker-volume-backup would use a managed identity here, which exists inside Azure only; Ferry runs at AWS.',
  remedy:
    'Give AZURE_STORAGE_PRIMARY_ACCOUNT_KEY, AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_SAS.',
};

/**
 * Puts together what tells of the account: a key, a connection string or a shared access signature.
 * @param now epoch ms, for what has run out
 */
export function toAccount(given: Given, now: number): Parsed<Account> {
  const {
    AZURE_STORAGE_ACCOUNT_NAME: account,
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: key,
    AZURE_STORAGE_CONNECTION_STRING: connection,
    AZURE_STORAGE_SAS: sas,
  } = given;
  const ways = {
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: key,
    AZURE_STORAGE_CONNECTION_STRING: connection,
    AZURE_STORAGE_SAS: sas,
  };
  const [first, second] = Object.entries(ways).flatMap(([name, way]) => (way ? [name] : []));
  if (second !== undefined) {
    return refuse(second, {
      problem: `${first} is given as well, and either is enough.`,
      remedy: 'Keep one of the two.',
    });
  }
  if (connection !== undefined) return parseConnectionString(connection.reveal(), now);
  const endpoint = toEndpoint(given.AZURE_STORAGE_ENDPOINT, account);
  if (!endpoint.ok) return endpoint;
  if (sas !== undefined) {
    const isTold = given.AZURE_STORAGE_ENDPOINT !== undefined;
    const beside = { account, endpoint: isTold ? endpoint.value : undefined };
    return parseSas(sas.reveal(), beside, now);
  }
  if (key === undefined) return refuse('AZURE_STORAGE_PRIMARY_ACCOUNT_KEY', NO_CREDENTIALS);
  if (account === undefined || endpoint.value === undefined) {
    return refuse('AZURE_STORAGE_ACCOUNT_NAME', {
      problem: 'This setting is missing.',
      remedy: 'Give AZURE_STORAGE_ACCOUNT_NAME.',
    });
  }
  const credentials = { with: 'key', account, key } as const;
  return { ok: true, value: { endpoint: endpoint.value, credentials } };
}
