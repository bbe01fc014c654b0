import * as z from 'zod';
import { abortError, type ErrorCode, FerryError, type Retry } from '../../core/errors.ts';
import { describeNetworkErrors } from '../http/network-errors.ts';
import { waitAskedFor } from '../http/retry-after.ts';

/** What the SDK tells of a failed request; everything else on its errors may hold credentials. */
const refusal = z.object({
  name: z.string(),
  message: z.string().catch(''),
  $metadata: z.object({
    httpStatusCode: z.number(),
    requestId: z.string().optional().catch(undefined),
  }),
  $response: z
    .object({ headers: z.record(z.string(), z.string().catch('')) })
    .optional()
    .catch(undefined),
});

type Refusal = z.output<typeof refusal>;
type Meaning = readonly [code: ErrorCode, retry: Retry, message: string, scope?: 'archive'];

const KEYS: Meaning = [
  'auth-refused',
  'never',
  'The server refuses the access key. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
];
const FULL: Meaning = [
  'no-space',
  'never',
  'The destination is full or its quota is used up. Free some space or raise the quota.',
];
const DAMAGED: Meaning = [
  'corrupted',
  'now',
  'What arrived at the destination was not what Ferry sent. It is sent again.',
];
const GONE: Meaning = [
  'upload-lost',
  'now',
  'The destination no longer has the unfinished upload. It is started again.',
];
const BUSY: Meaning = [
  'throttled',
  'later',
  'The destination is asking for fewer requests. Ferry tries again later.',
];
const TOO_LARGE: Meaning = [
  'too-large',
  'never',
  'The destination refuses a file or part of this size. Choose another destination or AWS_PART_SIZE.',
  'archive',
];

const BAD_NAME: Meaning = [
  'name-refused',
  'never',
  'The destination cannot store a file under this name. Give the archive a shorter or plainer name.',
  'archive',
];

/** docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what compatible servers add. */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: KEYS,
  SignatureDoesNotMatch: KEYS,
  InvalidToken: KEYS,
  ExpiredToken: KEYS,
  InvalidSecurity: KEYS,
  AccountProblem: KEYS,
  NoSuchBucket: [
    'not-found',
    'never',
    'There is no bucket of this name. Check AWS_S3_BUCKET_NAME and AWS_ENDPOINT; Ferry never creates buckets.',
  ],
  AuthorizationHeaderMalformed: [
    'setting-invalid',
    'never',
    'The server expects another region. Set AWS_REGION to the region of the bucket.',
  ],
  PermanentRedirect: [
    'setting-invalid',
    'never',
    'The bucket is in another region. Set AWS_REGION to it, or correct AWS_ENDPOINT.',
  ],
  InvalidStorageClass: [
    'setting-invalid',
    'never',
    'The server does not know the storage class. Correct or remove AWS_STORAGE_CLASS.',
  ],
  InvalidObjectState: [
    'permission-denied',
    'never',
    'The file lies in an archive storage class and has to be restored there before it can be read.',
    'archive',
  ],
  RequestTimeTooSkewed: [
    'protocol',
    'later',
    "The server's clock and Ferry's are more than a few minutes apart. Set the server's clock (NTP).",
  ],
  QuotaExceeded: FULL,
  QuotaExceededException: FULL,
  InsufficientStorage: FULL,
  InsufficientCapacity: FULL,
  // MinIO's names: docs of `mc admin`, cmd/api-errors.go.
  XMinioStorageFull: FULL,
  XMinioAdminBucketQuotaExceeded: FULL,
  EntityTooLarge: TOO_LARGE,
  KeyTooLongError: BAD_NAME,
  InvalidURI: BAD_NAME,
  XMinioInvalidObjectName: BAD_NAME,
  BadDigest: DAMAGED,
  InvalidDigest: DAMAGED,
  XAmzContentSHA256Mismatch: DAMAGED,
  IncompleteBody: DAMAGED,
  NoSuchUpload: GONE,
  InvalidPart: GONE,
  InvalidPartOrder: GONE,
  SlowDown: BUSY,
  Throttling: BUSY,
  ServiceUnavailable: BUSY,
};

const DENIED: Meaning = [
  'permission-denied',
  'never',
  'The access key may not do this. Allow it to list the bucket and to write, read and delete objects.',
];
const BY_STATUS: Readonly<Record<number, Meaning>> = {
  401: KEYS,
  403: DENIED,
  404: ['not-found', 'never', 'There is no such file at the destination.', 'archive'],
  408: ['timeout', 'now', 'The destination waited too long for data. Ferry tries again.'],
  413: TOO_LARGE,
  429: BUSY,
  503: BUSY,
  507: FULL,
};
const FAILED: Meaning = [
  'server-error',
  'later',
  'The destination reports an error of its own. Ferry tries again later.',
];
const NOT_UNDERSTOOD: Meaning = [
  'protocol',
  'never',
  'The server does not accept the request. Check that AWS_ENDPOINT is an S3 address and not a web page.',
];

const networkError = describeNetworkErrors({
  address: 'AWS_ENDPOINT',
  authority: "Paste your authority's certificate into AWS_ENDPOINT_CA_CERT.",
  plain: 'set AWS_ENDPOINT_PROTO to http',
  protocol: 'S3',
});

/** Any error of the SDK or of the network as the sentence that a user can act on. */
export function s3Error(thrown: unknown, signal: AbortSignal): FerryError {
  if (signal.aborted) return abortError(signal);
  if (thrown instanceof FerryError) return thrown;
  const told = refusal.safeParse(thrown);
  return told.success ? refused(told.data) : networkError(thrown);
}

/** The error of a server that says how long to wait; asking again before would be rude and in vain. */
export function waitError(thrown: unknown): FerryError | undefined {
  const told = refusal.safeParse(thrown);
  const error = told.success ? refused(told.data) : undefined;
  return error?.retryAfterMs === undefined ? undefined : error;
}

function refused({ name, message, $metadata, $response }: Refusal): FerryError {
  const status = $metadata.httpStatusCode;
  const byName = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  const fallback = status >= 500 && status !== 501 ? FAILED : NOT_UNDERSTOOD;
  const [code, retry, text, scope] = byName ?? BY_STATUS[status] ?? fallback;
  return new FerryError(code, text, {
    retry,
    scope: scope ?? 'destination',
    retryAfterMs: waitAskedFor($response?.headers['retry-after']),
    cause: { name, status, requestId: $metadata.requestId, message: withoutCredentials(message) },
  });
}

/** Servers may quote the request; keys and signatures of ours do not go further. */
function withoutCredentials(message: string): string {
  return message
    .replace(/AWS4-HMAC-SHA256.*/gis, '[authorization]')
    .replace(
      /(credential|signature|accesskeyid|secret\w*)(["']?\s*[=:]\s*)[^,;&\s]+/gi,
      '$1$2[secret]',
    )
    .slice(0, 300);
}
