import { isRestError, type RestError } from '@azure/storage-blob';
import { abortError, type ErrorCode, FerryError, type Retry } from '../../core/errors.ts';
import { describeNetworkErrors } from '../http/network-errors.ts';
import { waitAskedFor } from '../http/retry-after.ts';

type Meaning = readonly [code: ErrorCode, retry: Retry, message: string, scope?: 'archive'];

const KEY: Meaning = [
  'auth-refused',
  'never',
  'Azure refuses the credentials. Check AZURE_STORAGE_PRIMARY_ACCOUNT_KEY, AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_SAS, whichever is given, and when a signature runs out.',
];
const DENIED: Meaning = [
  'permission-denied',
  'never',
  "Azure does not allow this. The shared access signature needs read, create, write, delete and list, and the account's firewall has to let Ferry in.",
];
const FULL: Meaning = [
  'no-space',
  'never',
  'The storage account is full. Raise its limit or free some space.',
];
const DAMAGED: Meaning = [
  'corrupted',
  'now',
  'What arrived at Azure was not what Ferry sent. It is sent again.',
];
const GONE: Meaning = [
  'upload-lost',
  'now',
  'Azure no longer has all parts of the unfinished file. It is started again.',
];
const BUSY: Meaning = [
  'throttled',
  'later',
  'Azure is asking for fewer requests. Ferry tries again later.',
];
const TOO_LARGE: Meaning = [
  'too-large',
  'never',
  'Azure refuses a file of this size. Split the archive or choose another destination.',
  'archive',
];
const BAD_NAME: Meaning = [
  'name-refused',
  'never',
  'Azure cannot store a file under this name. Give the archive a shorter or plainer name.',
  'archive',
];
const FROZEN: Meaning = [
  'permission-denied',
  'never',
  'The file is protected against changes by a policy, a legal hold, a lease or snapshots. Take that off, or let Ferry write to another folder.',
  'archive',
];
const IN_ARCHIVE: Meaning = [
  'permission-denied',
  'never',
  'The file lies in the Archive tier and has to be moved to another tier before it can be read, which takes hours. To have files read back, choose another AZURE_STORAGE_ACCESS_TIER, or another verify than readback.',
  'archive',
];
const NO_CONTAINER: Meaning = [
  'not-found',
  'never',
  'There is no container of this name. Check AZURE_STORAGE_CONTAINER_NAME; Ferry never creates containers.',
];
const BAD_TIER: Meaning = [
  'setting-invalid',
  'never',
  'The storage account does not have this access tier. Correct or remove AZURE_STORAGE_ACCESS_TIER.',
];

/** learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and common-rest-api-error-codes */
const BY_CODE: Readonly<Record<string, Meaning>> = {
  AuthenticationFailed: KEY,
  InvalidAuthenticationInfo: KEY,
  NoAuthenticationInformation: KEY,
  KeyBasedAuthenticationNotPermitted: KEY,
  AccountIsDisabled: KEY,
  ContainerNotFound: NO_CONTAINER,
  ContainerDisabled: NO_CONTAINER,
  ContainerBeingDeleted: NO_CONTAINER,
  BlobArchived: IN_ARCHIVE,
  BlobBeingRehydrated: [
    'server-error',
    'later',
    'The file is on its way out of the Archive tier, which takes hours. Ferry tries again later.',
    'archive',
  ],
  BlobImmutableDueToPolicy: FROZEN,
  BlobImmutableDueToLegalHold: FROZEN,
  LeaseIdMissing: FROZEN,
  LeaseLost: FROZEN,
  LeaseIdMismatchWithBlobOperation: FROZEN,
  LeaseNotPresentWithBlobOperation: FROZEN,
  BlobIsSealed: FROZEN,
  SnapshotsPresent: FROZEN,
  InvalidBlobType: [
    'name-refused',
    'never',
    'A file of another kind (a page or append blob) has this name. Remove it, or let Ferry write to another folder.',
    'archive',
  ],
  // All blocks of one name have ids of one length: learn.microsoft.com/rest/api/storageservices/put-block
  InvalidBlobOrBlock: [
    'protocol',
    'later',
    'Another program has an unfinished upload under this name, which Azure drops after seven days. Let Ferry write to a folder of its own.',
    'archive',
  ],
  InvalidBlockList: GONE,
  Md5Mismatch: DAMAGED,
  Crc64Mismatch: DAMAGED,
  BlockCountExceedsLimit: TOO_LARGE,
  BlockListTooLong: TOO_LARGE,
  RequestBodyTooLarge: TOO_LARGE,
  InvalidResourceName: BAD_NAME,
  InvalidUri: BAD_NAME,
  OutOfRangeInput: BAD_NAME,
  InvalidBlobTier: BAD_TIER,
  BlobAccessTierNotSupportedForAccountType: BAD_TIER,
  AccountLimitExceeded: FULL,
  ServerBusy: BUSY,
  TooManyRequests: BUSY,
};

const CONFLICT: Meaning = [
  'server-error',
  'later',
  'Azure does not let Ferry change the file as it stands. Ferry tries again later; look at what else uses the file.',
  'archive',
];
const BY_STATUS: Readonly<Record<number, Meaning>> = {
  401: KEY,
  403: DENIED,
  404: ['not-found', 'never', 'There is no such file at the destination.', 'archive'],
  408: ['timeout', 'now', 'Azure waited too long for data. Ferry tries again.'],
  409: CONFLICT,
  412: CONFLICT,
  413: TOO_LARGE,
  429: BUSY,
  503: BUSY,
  507: FULL,
};
const FAILED: Meaning = [
  'server-error',
  'later',
  'Azure reports an error of its own. Ferry tries again later.',
];
const NOT_UNDERSTOOD: Meaning = [
  'protocol',
  'never',
  'The server does not accept the request. Check that AZURE_STORAGE_ENDPOINT is the address of a Blob service.',
];

const networkError = describeNetworkErrors({
  address: 'AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ENDPOINT',
  authority: "Paste your authority's certificate into AZURE_STORAGE_ENDPOINT_CA_CERT.",
  plain: 'begin AZURE_STORAGE_ENDPOINT with http',
  protocol: 'Azure Blob storage',
});

/**
 * Any error of the SDK or of the network as the sentence that a user can act on. The SDK's own hold
 * the request with its signature, and Azure's texts quote it: neither goes further.
 */
export function azureError(thrown: unknown, signal: AbortSignal): FerryError {
  if (signal.aborted) return abortError(signal);
  if (thrown instanceof FerryError) return thrown;
  if (!isRestError(thrown) || thrown.statusCode === undefined) return networkError(thrown);
  return refused(thrown, thrown.statusCode);
}

/** learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations */
const CONDITION_CODES = ['ConditionNotMet', 'TargetConditionNotMet', 'BlobAlreadyExists'];

/**
 * Whether a condition of the request does not hold: `told` by its code, or `perhaps` where 409 or 412
 * came without one (of a gateway), so that only a look at the file tells. Leases, policies and snapshots have
 * the same two statuses with codes of their own.
 */
export function conditionFailure(thrown: unknown): 'told' | 'perhaps' | undefined {
  if (!isRestError(thrown) || (thrown.statusCode !== 412 && thrown.statusCode !== 409)) {
    return undefined;
  }
  const { code = '' } = thrown;
  if (code === '') return 'perhaps';
  return CONDITION_CODES.includes(code) ? 'told' : undefined;
}

/** Azurite has other codes than Azure for a wrong signature and for damage; its texts say what it is. */
function codeOf({ code = '', message }: RestError): string {
  if (code === 'AuthorizationFailure' && /failed to authenticate/i.test(message)) {
    return 'AuthenticationFailed';
  }
  return code === 'InvalidOperation' && /md5/i.test(message) ? 'Md5Mismatch' : code;
}

function refused(error: RestError, status: number): FerryError {
  const { response } = error;
  const code = codeOf(error);
  const byCode = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  const fallback = status >= 500 && status !== 501 ? FAILED : NOT_UNDERSTOOD;
  const [what, retry, text, scope] = byCode ?? BY_STATUS[status] ?? fallback;
  return new FerryError(what, text, {
    retry,
    scope: scope ?? 'destination',
    retryAfterMs: waitAskedFor(response?.headers.get('retry-after')),
    cause: { code, status, requestId: response?.headers.get('x-ms-request-id') },
  });
}
