import { DropboxAuth } from 'dropbox';
import * as z from 'zod';
import { Secret } from '../../core/secret.ts';
import { NEVER, unlessAborted } from '../../core/stopping.ts';
import { sendInTime } from '../http/deadline.ts';
import type { DropboxSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/** A token with less time left than this is not used for another request, in ms. */
const LEAST_LEFT_MS = 5 * 60_000;

const granted = z.object({
  token: z
    .string()
    .min(1)
    .transform((text) => new Secret(text)),
  expiresAt: z.date(),
});
type Granted = z.output<typeof granted>;

/** Access tokens of one destination; they last about four hours and live in memory alone. */
export interface Tokens {
  /** One that is good for another request. Many who ask at once make one request together. */
  current(signal: AbortSignal): Promise<string>;
  /** This one is not accepted any more, whatever its time says. */
  drop(token: string): void;
}

export function openTokens(settings: DropboxSettings, transport: Transport): Tokens {
  let held: Granted | undefined;
  let asking: Promise<Granted> | undefined;

  const ask = async (): Promise<Granted> =>
    sendInTime(NEVER, 0, async (signal) => {
      const auth = new DropboxAuth({
        clientId: settings.appKey,
        refreshToken: settings.refreshToken.reveal().trim(),
        ...(settings.appSecret ? { clientSecret: settings.appSecret.reveal().trim() } : {}),
        fetch: (url: string, request: object) => transport.fetch(url, { ...request, signal }),
      });
      await auth.refreshAccessToken();
      const answer = { token: auth.getAccessToken(), expiresAt: auth.getAccessTokenExpiresAt() };
      return granted.parse(answer);
    });

  return {
    async current(signal) {
      if (held && held.expiresAt.getTime() - Date.now() > LEAST_LEFT_MS) return held.token.reveal();
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      held = await unlessAborted(asking, signal);
      return held.token.reveal();
    },
    drop(token) {
      if (held?.token.reveal() === token) held = undefined;
    },
  };
}
