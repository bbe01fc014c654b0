import * as z from 'zod';
import type { Traits } from '../../core/policy.ts';
import type { Parsed, Problem } from '../../core/problem.ts';
import { addressOf } from '../http/address.ts';
import { certificates } from '../http/certificates.ts';
import { folder } from '../http/folder.ts';
import { httpTraits, type Trust, trustProblems } from '../http/trust.ts';
import { flag, issue, secret, text } from '../setting.ts';
import { toAccount } from './account.ts';
import { isKey, parseConnectionString } from './connection-string.ts';
import type { Account, Credentials } from './credentials.ts';
import { parseSasToken } from './sas.ts';

/** What the driver needs, checked and put together. */
export interface AzureSettings extends Trust {
  /** Of the Blob service, with exactly one slash at its end. */
  readonly endpoint: URL;
  readonly credentials: Credentials;
  readonly container: string;
  /** Folders below the container without slashes at either end; '' for none. */
  readonly folder: string;
  /** The account's own default without it. */
  readonly tier?: Tier | undefined;
}

/** learn.microsoft.com/azure/storage/blobs/access-tiers-overview: those that one blob can be put into. */
const TIERS = ['Hot', 'Cool', 'Cold', 'Archive'] as const;
type Tier = (typeof TIERS)[number];

// learn.microsoft.com/azure/storage/common/storage-account-overview, "Storage account name".
const account = text.transform((value, context) => {
  if (/^[a-z0-9]{3,24}$/.test(value)) return value;
  context.addIssue(
    issue(
      'This is not the name of a storage account: 3 to 24 lower-case letters and digits.',
      'Give the name alone, without .blob.core.windows.net.',
    ),
  );
  return z.NEVER;
});

const accountKey = secret.transform((value, context) => {
  if (value.isSealed || isKey(value.reveal().trim())) return value;
  context.addIssue(
    issue(
      'This is not a key of a storage account.',
      'Copy it, whole, from "Access keys" of the storage account.',
    ),
  );
  return z.NEVER;
});

/** What is wrong with a secret by itself is told while it can be read, whatever the other settings are. */
function readWith(read: (text: string, now: number) => Parsed<Account | Credentials>) {
  return secret.transform((value, context) => {
    const parsed = value.isSealed ? undefined : read(value.reveal(), Date.now());
    if (!parsed || parsed.ok) return value;
    for (const { problem, remedy } of parsed.problems) context.addIssue(issue(problem, remedy));
    return z.NEVER;
  });
}

// learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
const container = text.transform((value, context) => {
  const isName = /^[a-z0-9](?:-?[a-z0-9])+$/.test(value) && value.length >= 3 && value.length <= 63;
  if (isName || value === '$root') return value;
  context.addIssue(
    issue(
      'This is not the name of a container: 3 to 63 lower-case letters, digits and single hyphens.',
      'Give the name alone; a folder goes into AZURE_STORAGE_PATH.',
    ),
  );
  return z.NEVER;
});

const tier = text.transform((value, context) => {
  const found = TIERS.find((known) => known.toLowerCase() === value.toLowerCase());
  if (found) return found;
  context.addIssue(
    /^(?:p\d+|premium)$/i.test(value)
      ? issue(
          'This tier is for page blobs, the disks of machines; archives are block blobs.',
          `Give one of ${TIERS.join(', ')}, or leave it out.`,
        )
      : issue('Azure has no access tier of this name.', `Give one of ${TIERS.join(', ')}.`),
  );
  return z.NEVER;
});

/** Settings under the names of offen's docker-volume-backup, with three of Ferry's own: SAS and TLS. */
export const azureSchema = z.object({
  AZURE_STORAGE_ACCOUNT_NAME: account.optional(),
  AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: accountKey.optional(),
  AZURE_STORAGE_CONNECTION_STRING: readWith(parseConnectionString).optional(),
  /** A shared access signature: its token, or the URL of the account or container with it. */
  AZURE_STORAGE_SAS: readWith(parseSasToken).optional(),
  AZURE_STORAGE_CONTAINER_NAME: container,
  AZURE_STORAGE_PATH: folder.optional(),
  AZURE_STORAGE_ENDPOINT: text.optional(),
  AZURE_STORAGE_ENDPOINT_INSECURE: flag.optional(),
  AZURE_STORAGE_ENDPOINT_CA_CERT: certificates.optional(),
  AZURE_STORAGE_ACCESS_TIER: tier.optional(),
});

const TRUST = {
  address: 'AZURE_STORAGE_ENDPOINT',
  insecure: 'AZURE_STORAGE_ENDPOINT_INSECURE',
  authority: 'AZURE_STORAGE_ENDPOINT_CA_CERT',
  toHttps: 'give an address that begins with https',
};

/** What one setting says about another, and the shape that the driver wants. */
export function toAzureSettings(given: z.output<typeof azureSchema>): Parsed<AzureSettings> {
  const found = toAccount(given, Date.now());
  if (!found.ok) return found;
  const { endpoint, credentials, container } = found.value;
  const trust = {
    insecure: given.AZURE_STORAGE_ENDPOINT_INSECURE ?? false,
    authorities: given.AZURE_STORAGE_ENDPOINT_CA_CERT ?? [],
  };
  const problems = [
    ...containerProblems(given.AZURE_STORAGE_CONTAINER_NAME, container),
    ...trustProblems(TRUST, trust, addressOf(endpoint).protocol),
  ];
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      endpoint,
      credentials,
      container: given.AZURE_STORAGE_CONTAINER_NAME,
      folder: given.AZURE_STORAGE_PATH ?? '',
      tier: given.AZURE_STORAGE_ACCESS_TIER,
      ...trust,
    },
  };
}

/** What the operator's policy looks at. */
export function azureTraits(given: z.output<typeof azureSchema>): Traits {
  const account = toAccount(given, Date.now());
  const address = account.ok ? addressOf(account.value.endpoint) : undefined;
  return httpTraits(TRUST, given.AZURE_STORAGE_ENDPOINT_INSECURE, address);
}

function* containerProblems(name: string, signedFor: string | undefined): Generator<Problem> {
  if (signedFor !== undefined && signedFor !== name) {
    yield {
      path: 'AZURE_STORAGE_CONTAINER_NAME',
      problem: `The URL in AZURE_STORAGE_SAS is for the container "${signedFor}".`,
      remedy: 'Make both the same.',
    };
  }
}
