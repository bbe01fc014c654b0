import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StartServer } from './destination-server.ts';
import { startDropboxFake } from './dropbox/server.ts';
import { BACKUP_FOLDER } from './users.ts';

/** A fake of Dropbox, with an account for each login. */
export const startDropboxDestination: StartServer = async (logins, folder) => {
  const fake = await startDropboxFake({ folder });
  const { app, endpoint, oauth } = fake;
  const refreshTokens = new Map(
    logins.map(({ userId }) => [userId, oauth.connect(app, fake.addAccount(userId))]),
  );
  const refreshToken = (userId: string) => refreshTokens.get(userId) ?? '';
  /** Good for four hours. */
  const accessToken = (userId: string): string =>
    oauth.accessTokenFor(refreshToken(userId)).access_token;
  return {
    type: 'dropbox',
    address: `${endpoint} (a fake of its API)`,
    lookAt: (userId) =>
      `curl -s ${endpoint}/2/files/list_folder -H 'Authorization: Bearer ${accessToken(userId)}' ` +
      `-H 'Content-Type: application/json' -d '{"path": "", "recursive": true}'`,
    settingsFor: (userId) => ({
      DROPBOX_APP_KEY: app.key,
      DROPBOX_APP_SECRET: app.secret,
      DROPBOX_REFRESH_TOKEN: refreshToken(userId),
      DROPBOX_REMOTE_PATH: `/${BACKUP_FOLDER}`,
      DROPBOX_ENDPOINT: endpoint,
      DROPBOX_OAUTH2_ENDPOINT: endpoint,
    }),
    async read({ userId }, path, sink, signal) {
      const argument = JSON.stringify({ path: `/${path}` });
      const answer = await fetch(`${endpoint}/2/files/download`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${accessToken(userId)}`,
          'dropbox-api-arg': argument.replace(
            /[\u007f-\uffff]/g,
            (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
          ),
        },
        signal,
      });
      if (!answer.ok || !answer.body) throw new Error(`${path}: HTTP ${answer.status}`);
      await pipeline(Readable.fromWeb(answer.body), sink, { signal });
    },
    [Symbol.asyncDispose]: () => fake.stop(),
  };
};
