import { AuthType, createClient, type WebDAVClient } from 'webdav';
import { FerryError } from '../../core/errors.ts';
import type { Agents } from '../http/agents.ts';
import type { Login, WebDavSettings } from './settings.ts';
import { isUsableDigest } from './transport.ts';

/**
 * A client that logs in the way the server asks for. A password is sent as it is only where that is
 * asked for and Digest is not, or the line is encrypted.
 * @param challenges ways to log in that the server named when it was asked without any; undefined
 * where it answered without
 */
export function createLogin(
  { url, login }: WebDavSettings,
  agents: Agents,
  challenges: readonly string[] | undefined,
): WebDAVClient {
  if (!login) return createClient(url.href, { ...agents, authType: AuthType.None });
  const { username, password } = login;
  switch (wayOf(url, challenges)) {
    case 'digest':
      if (!/^[\x20-\x7e]+$/.test(username) || /["\\]/.test(username)) throw unusableName();
      return createClient(url.href, {
        ...{ ...agents, authType: AuthType.Digest },
        ...{ username, password: password.reveal() },
      });
    case 'basic':
      return createClient(url.href, {
        ...{ ...agents, authType: AuthType.Password, ...forBasic(login) },
      });
    case 'auto':
      return createClient(url.href, {
        ...{ ...agents, authType: AuthType.Auto, ...forBasic(login) },
      });
    case 'unknown':
      throw new FerryError(
        'auth-refused',
        'The server asks for a login of a kind that Ferry does not have: it knows Basic and Digest. Turn one of them on, or use an app password where the server has them.',
        { retry: 'never' },
      );
  }
}

function wayOf(url: URL, challenges: readonly string[] | undefined) {
  // Some servers ask only those who write, and some do not say for what.
  if (challenges === undefined || challenges.length === 0) return 'auto';
  const offersDigest = challenges.some(isUsableDigest);
  const offersBasic = challenges.some((one) => /(?:^|,\s*)basic\b/i.test(one));
  if (offersDigest && (url.protocol === 'http:' || !offersBasic)) return 'digest';
  return offersBasic ? 'basic' : 'unknown';
}

/** RFC 7617, 2.1: in UTF-8. The package takes each character for a byte. */
function forBasic({ username, password }: Login) {
  const bytesOf = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  return { username: bytesOf(username), password: bytesOf(password.reveal()) };
}

function unusableName(): FerryError {
  return new FerryError(
    'auth-refused',
    'The server asks for a login by Digest, for which Ferry takes plain letters, digits and signs only. Choose another user for WEBDAV_USERNAME, or turn Basic on at the server.',
    { retry: 'never' },
  );
}
