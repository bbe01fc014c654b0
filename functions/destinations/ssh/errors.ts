import { FerryError } from '../../core/errors.ts';
import type { SshSettings } from './settings.ts';

/**
 * Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02, 7), and of later versions where
 * servers send them all the same.
 */
export const STATUS = {
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
  noSpace: 14,
  quotaExceeded: 15,
} as const;

/** The status that a server answered a request with; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number'
    ? error.code
    : undefined;
}

/** Whether a request failed because the server does not have it. */
export function isNotOffered(error: unknown): boolean {
  if (statusOf(error) === STATUS.unsupported) return true;
  return error instanceof Error && error.message.includes('does not support this extended request');
}

/** Whether a server says in its answer's own words that its disk or the user's quota is full. */
export function saysNoSpace(error: unknown): boolean {
  const status = statusOf(error);
  if (status === STATUS.noSpace || status === STATUS.quotaExceeded) return true;
  return error instanceof Error && /no space left|disk (is )?full|quota/i.test(error.message);
}

export function noSpace(cause: unknown): FerryError {
  return new FerryError(
    'no-space',
    "The server's disk or the user's quota is full. Make room there, then run the backup again.",
    { retry: 'never', cause },
  );
}

/**
 * What a request's failure means.
 * @param doing what was tried, for the sentence "The server … while <doing>", path included
 */
export function explainStatus(error: unknown, doing: string): FerryError {
  if (error instanceof FerryError) return error;
  if (saysNoSpace(error)) return noSpace(error);
  switch (statusOf(error)) {
    case STATUS.noSuchFile:
      return new FerryError(
        'not-found',
        `The server found no such file or folder while ${doing}. Check SSH_REMOTE_PATH.`,
        { retry: 'never', scope: 'archive', cause: error },
      );
    case STATUS.permissionDenied:
      return new FerryError(
        'permission-denied',
        `The server denied permission while ${doing}. ` +
          'Give the user of SSH_USER the right to write there, or change SSH_REMOTE_PATH.',
        { retry: 'never', cause: error },
      );
    case STATUS.badMessage:
      return new FerryError(
        'name-refused',
        `The server did not accept the name while ${doing}. Stage the archive under a shorter or simpler name.`,
        { retry: 'never', scope: 'archive', cause: error },
      );
    default:
      return new FerryError(
        'server-error',
        `The server reported a failure while ${doing}. If this stays, look into the server's log.`,
        { retry: 'later', cause: error },
      );
  }
}

/** A file of the destination that is not there. */
export function missing(path: string): FerryError {
  return new FerryError('not-found', `The destination has no file ${path}.`, {
    retry: 'never',
    scope: 'archive',
  });
}

/** An established connection that broke: going on over a new one is worth trying at once. */
export function connectionBroken(cause: unknown): FerryError {
  return new FerryError('unreachable', 'The connection to the server broke.', {
    retry: 'now',
    cause,
  });
}

/** A server that keeps the connection but does not answer any more. */
export function noAnswer(seconds: number): FerryError {
  return new FerryError('timeout', `The server gave no answer for ${seconds} seconds.`, {
    retry: 'now',
  });
}

/** A server that could not be reached in the time given. */
export function noConnection({ host, port }: SshSettings, cause: unknown): FerryError {
  return new FerryError(
    'timeout',
    `${host} port ${port} did not answer in time. Check SSH_HOST_NAME, SSH_PORT and the server's firewall.`,
    { retry: 'later', cause },
  );
}

/** Why a connection could not be made, told from what the socket or the SSH client reported. */
export function explainConnecting(error: unknown, settings: SshSettings): FerryError {
  if (error instanceof FerryError) return error;
  const server = `${settings.host} port ${settings.port}`;
  const { code, level, message } = described(error);
  const later = { retry: 'later', cause: error } as const;
  const never = { retry: 'never', cause: error } as const;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new FerryError(
      'unreachable',
      `The name ${settings.host} could not be looked up. Check the spelling of SSH_HOST_NAME.`,
      later,
    );
  }
  if (code === 'ECONNREFUSED') {
    return new FerryError(
      'unreachable',
      `Nothing answers at ${server}. Check SSH_HOST_NAME and SSH_PORT, and that SSH is switched on at the server.`,
      later,
    );
  }
  if (code === 'ETIMEDOUT' || level === 'client-timeout') return noConnection(settings, error);
  if (level === 'client-authentication' || /too many authentication/i.test(message)) {
    return new FerryError(
      'auth-refused',
      'The server refused the user and the password or key. ' +
        'Check SSH_USER and SSH_PASSWORD or SSH_IDENTITY_FILE.',
      never,
    );
  }
  if (/no matching/.test(message)) {
    return new FerryError(
      'protocol',
      'The server offers no encryption or host key that Ferry can use. Bring its SSH software up to date.',
      never,
    );
  }
  if (/subsystem|SFTP session/i.test(message)) {
    return new FerryError(
      'protocol',
      'The server accepted the login but has no SFTP. Switch SFTP on at the server for this user.',
      never,
    );
  }
  return new FerryError(
    'unreachable',
    `${server} ended the connection before it was ready. ` +
      'Check SSH_HOST_NAME and SSH_PORT: an SSH server has to listen there, and not to block this client.',
    later,
  );
}

function described(error: unknown): { code: unknown; level: unknown; message: string } {
  if (!(error instanceof Error)) return { code: undefined, level: undefined, message: '' };
  return {
    code: 'code' in error ? error.code : undefined,
    level: 'level' in error ? error.level : undefined,
    message: error.message,
  };
}
