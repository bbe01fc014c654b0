import { DropboxAuth } from 'dropbox';
import { z } from 'zod';
import { NEVER } from '../functions/core/stopping.ts';
import { dropboxError } from '../functions/destinations/dropbox/errors.ts';
import { readRefusal } from '../functions/destinations/dropbox/refusals.ts';
import type { Transport } from '../functions/destinations/dropbox/transport.ts';
import { sendInTime } from '../functions/destinations/http/deadline.ts';
import { Failure } from './failure.ts';

/** Where people are sent (developers.dropbox.com/oauth-guide); the client names a host that redirects. */
const AUTHORIZE = new URL('https://www.dropbox.com');

/** What Ferry's requests need, by the routes of files.stone. */
const NEEDED = ['files.metadata.read', 'files.content.write', 'files.content.read'];

const granted = z.object({ refresh_token: z.string().min(1), scope: z.string() });

/** A way into one Dropbox, without the secret of the app (RFC 7636). */
export interface Login {
  /** For a person to follow. */
  readonly link: string;
  /**
   * Turns the code that Dropbox shows into a refresh token, and sees that it works.
   * @throws Failure where it does not, or may not do what Ferry needs
   */
  redeem(
    code: string,
  ): Promise<{ readonly refreshToken: string; readonly scopes: readonly string[] }>;
}

/** @param endpoint of another server than Dropbox */
export async function openLogin(
  appKey: string,
  transport: Transport,
  endpoint: URL | undefined,
): Promise<Login> {
  const fetch = (url: string, request: object) =>
    sendInTime(NEVER, 0, (signal) => transport.fetch(url, { ...request, signal }));
  const auth = new DropboxAuth({ clientId: appKey, fetch });
  const asked = new URL(
    await auth.getAuthenticationUrl('', undefined, 'code', 'offline', undefined, 'none', true),
  );
  const link = new URL(endpoint ?? AUTHORIZE);
  link.pathname = `${link.pathname.replace(/\/$/, '')}${asked.pathname}`;
  link.search = asked.search;
  return {
    link: link.href,
    async redeem(code) {
      if (!/^[\w.-]+$/.test(code)) {
        throw new Failure(
          'This is not a code as Dropbox shows it. Run this again and copy it whole.',
        );
      }
      const { result } = await explained(auth.getAccessTokenFromCode('', code));
      const answer = granted.safeParse(result);
      if (!answer.success) throw new Failure('The server does not answer as Dropbox does.');
      const { refresh_token: refreshToken, scope } = answer.data;
      const scopes = scope.split(' ');
      const missing = NEEDED.filter((needed) => !scopes.includes(needed));
      if (missing.length > 0) {
        throw new Failure(
          `The Dropbox app lacks ${missing.join(', ')}. Switch that on under "Permissions" in the App Console, submit, and run this again: a token keeps the permissions that it was made with.`,
        );
      }
      await explained(
        new DropboxAuth({ clientId: appKey, refreshToken, fetch }).refreshAccessToken(),
      );
      return { refreshToken, scopes };
    },
  };
}

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    const [tag] = readRefusal(thrown)?.tags ?? [];
    if (tag === 'invalid_grant') {
      throw new Failure(
        'Dropbox does not accept the code. Each is good once and for some minutes: run this again.',
      );
    }
    if (tag === 'invalid_client' || tag === 'unauthorized_client') {
      throw new Failure('Dropbox knows no app with this key. Check --app-key or DROPBOX_APP_KEY.');
    }
    throw new Failure(dropboxError(thrown, NEVER).message);
  }
}
