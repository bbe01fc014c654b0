import { abortError, type ErrorCode, FerryError, type Retry } from '../../core/errors.ts';
import { describeNetworkErrors } from '../http/network-errors.ts';
import { waitAskedFor } from '../http/retry-after.ts';
import { type Refusal, readRefusal } from './refusals.ts';

type Meaning = readonly [code: ErrorCode, retry: Retry, message: string, scope?: 'archive'];

const CONNECT = 'Connect again: ferry dropbox connect.';

const DISCONNECTED: Meaning = [
  'auth-refused',
  'never',
  `Dropbox does not accept the token in DROPBOX_REFRESH_TOKEN: it was taken back, or belongs to another app. ${CONNECT}`,
];
const WRONG_APP: Meaning = [
  'auth-refused',
  'never',
  'Dropbox does not know the app. Check DROPBOX_APP_KEY and DROPBOX_APP_SECRET; the secret may be left out only where the token came from ferry dropbox connect.',
];
const DENIED: Meaning = [
  'permission-denied',
  'never',
  'Dropbox does not allow this to the account or its team. Let Ferry write to a folder that the user may change (DROPBOX_REMOTE_PATH), or ask the administrator of the team.',
];
const FROZEN: Meaning = [
  'permission-denied',
  'never',
  'Dropbox does not allow changes at this path. Let Ferry write to a folder of its own (DROPBOX_REMOTE_PATH).',
  'archive',
];
const FULL: Meaning = [
  'no-space',
  'never',
  'The Dropbox is full. Free some space or upgrade the plan.',
];
const BUSY: Meaning = [
  'throttled',
  'later',
  'Dropbox is asking for fewer requests. Ferry tries again later.',
];
const BAD_NAME: Meaning = [
  'name-refused',
  'never',
  'Dropbox cannot keep a file under this name. Give the archive another name.',
  'archive',
];
const TOO_LARGE: Meaning = [
  'too-large',
  'never',
  'Dropbox takes no file of this size. Split the archive or choose another destination.',
  'archive',
];
const DAMAGED: Meaning = [
  'corrupted',
  'now',
  'What arrived at Dropbox was not what Ferry sent. It is sent again.',
];
const GONE: Meaning = [
  'upload-lost',
  'now',
  'Dropbox no longer has all parts of the unfinished file. It is started again.',
  'archive',
];

/** Tags of files.stone and auth.stone (github.com/dropbox/dropbox-api-spec), and RFC 6749, 5.2. */
const BY_TAG: Readonly<Record<string, Meaning>> = {
  invalid_grant: DISCONNECTED,
  invalid_access_token: DISCONNECTED,
  expired_access_token: DISCONNECTED,
  invalid_client: WRONG_APP,
  unauthorized_client: WRONG_APP,
  user_suspended: [
    'auth-refused',
    'never',
    'The Dropbox account is suspended. Ask the administrator of its team.',
  ],
  route_access_denied: DENIED,
  no_permission: DENIED,
  team_access_denied: DENIED,
  access_restricted: DENIED,
  no_write_permission: DENIED,
  team_folder: FROZEN,
  operation_suppressed: FROZEN,
  locked: FROZEN,
  restricted_content: FROZEN,
  encryption_not_supported: [
    'permission-denied',
    'never',
    'The folder is encrypted from end to end, which apps cannot write to. Choose another in DROPBOX_REMOTE_PATH.',
  ],
  insufficient_space: FULL,
  team_folder_insufficient_space: FULL,
  member_folder_insufficient_space: FULL,
  upload_traffic_limit_reached: [
    'throttled',
    'later',
    "The Dropbox team has used up its uploads for this month. Ferry tries again later; the team's plan can be raised.",
  ],
  too_many_requests: BUSY,
  too_many_write_operations: BUSY,
  malformed_path: BAD_NAME,
  disallowed_name: BAD_NAME,
  folder: [
    'name-refused',
    'never',
    'A folder has the name of the archive. Rename or remove it, or let Ferry write elsewhere (DROPBOX_REMOTE_PATH).',
    'archive',
  ],
  file_ancestor: [
    'name-refused',
    'never',
    'A file stands where the folder of the archive has to be. Rename or remove it, or let Ferry write elsewhere (DROPBOX_REMOTE_PATH).',
  ],
  not_folder: [
    'name-refused',
    'never',
    'A file stands where the folder has to be. Rename or remove it, or correct DROPBOX_REMOTE_PATH.',
  ],
  not_found: ['not-found', 'never', 'There is no such file in the Dropbox.', 'archive'],
  not_file: ['not-found', 'never', 'There is a folder of this name, and no file.', 'archive'],
  too_large: TOO_LARGE,
  content_hash_mismatch: DAMAGED,
  incorrect_offset: GONE,
  concurrent_session_missing_data: GONE,
  concurrent_session_invalid_offset: GONE,
  concurrent_session_invalid_data_size: GONE,
  concurrent_session_not_closed: GONE,
};

const FAILED: Meaning = [
  'server-error',
  'later',
  'Dropbox reports an error of its own. Ferry tries again later.',
];
const BY_STATUS: Readonly<Record<number, Meaning>> = {
  401: DISCONNECTED,
  403: DENIED,
  408: ['timeout', 'now', 'Dropbox waited too long for data. Ferry tries again.'],
  413: TOO_LARGE,
  429: BUSY,
  503: BUSY,
};
const UNKNOWN_REFUSAL: Meaning = [
  'protocol',
  'later',
  'Dropbox refuses this for a reason that Ferry does not know. If it stays, report it with the job id.',
];
const NOT_UNDERSTOOD: Meaning = [
  'protocol',
  'never',
  'The server does not accept the request. Where DROPBOX_ENDPOINT or DROPBOX_OAUTH2_ENDPOINT is given, check that it is the address of a Dropbox.',
];

const networkError = describeNetworkErrors({
  address: 'DROPBOX_ENDPOINT and DROPBOX_OAUTH2_ENDPOINT',
  authority:
    'Dropbox itself has a public one: look at what DROPBOX_ENDPOINT names, or who is in between.',
  plain: 'begin it with http',
  protocol: 'Dropbox',
});

/**
 * Any error of the official client or of the network as the sentence that a user can act on. The
 * client's own hold headers, and a request for a token its key: neither goes further.
 */
export function dropboxError(thrown: unknown, signal: AbortSignal): FerryError {
  if (signal.aborted) return abortError(signal);
  if (thrown instanceof FerryError) return thrown;
  const refusal = readRefusal(thrown);
  return refusal ? refused(refusal) : networkError(thrown);
}

/** Whether another access token may help. */
export function isTokenRefused(thrown: unknown): boolean {
  const refusal = readRefusal(thrown);
  const tag = refusal?.tags[0] ?? '';
  return refusal?.status === 401 && /^(expired|invalid)_access_token$/.test(tag);
}

function refused(refusal: Refusal): FerryError {
  const { status, tags, requestId, retryAfter } = refusal;
  const [what, retry, text, scope] = meaningOf(refusal);
  return new FerryError(what, text, {
    retry,
    scope: scope ?? 'destination',
    retryAfterMs: waitAskedFor(retryAfter),
    cause: { status, tags: tags.filter((tag) => /^\w{1,60}$/.test(tag)).join('/'), requestId },
  });
}

function meaningOf({ status, tags, scope }: Refusal): Meaning {
  if (tags.includes('missing_scope')) return lacks(scope);
  const known = tags.findLast((tag) => Object.hasOwn(BY_TAG, tag));
  const byTag = known === undefined ? undefined : BY_TAG[known];
  if (byTag) return byTag;
  if (status === 409) return UNKNOWN_REFUSAL;
  return BY_STATUS[status] ?? (status >= 500 ? FAILED : NOT_UNDERSTOOD);
}

function lacks(scope: string | undefined): Meaning {
  const name = scope !== undefined && /^[a-z_.]{1,60}$/.test(scope) ? ` ${scope}` : '';
  return [
    'permission-denied',
    'never',
    `The Dropbox app lacks the permission${name}. Switch it on under "Permissions" in the App Console, then connect again, since a token keeps the permissions that it was made with: ferry dropbox connect.`,
  ];
}
