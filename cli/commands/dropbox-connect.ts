import { z } from 'zod';
import { SealedSecret } from '../../functions/core/secret.ts';
import { dropboxSchema } from '../../functions/destinations/dropbox/settings.ts';
import { openTransport } from '../../functions/destinations/dropbox/transport.ts';
import { splitIssue } from '../../functions/destinations/setting.ts';
import { defineCommand } from '../command.ts';
import {
  addDestination,
  hasDestination,
  readDestination,
  writeSettings,
} from '../destination-settings.ts';
import { openLogin } from '../dropbox-login.ts';
import { Failure } from '../failure.ts';
import { destination, flag, userId } from '../given.ts';
import { guardLogin } from '../login-guard.ts';
import { ask } from '../question.ts';
import { sealSettings } from '../secrets.ts';

const TYPE = 'dropbox';

export const dropboxConnect = defineCommand({
  name: 'dropbox connect',
  summary: "lets Ferry into a user's Dropbox",
  about: `Shows a link, asks for the code that Dropbox shows to whoever follows it, and puts a refresh token
into the user's row, sealed. The row has to have a destination of this name and of type dropbox, unless
--new makes it; nothing else in it changes. No app secret is needed. Another server than Dropbox
(DROPBOX_OAUTH2_ENDPOINT) is asked only where the operator's policy allows it.

The app comes from dropbox.com/developers/apps: "Scoped access", with the permissions
files.metadata.read, files.content.write and files.content.read switched on and submitted.`,
  arguments: {
    '<id>': 'the user',
    '<destination>': "the name of the destination in the user's row",
  },
  options: {
    '--new': 'makes the destination, and the user, where there is none',
    '--app-key <key>': 'key of the Dropbox app; by default DROPBOX_APP_KEY of the destination',
  },
  examples: ['ferry dropbox connect alice box --new --app-key a1b2c3d4e5f6g7h'],
  given: z.object({ id: userId, destination, appKey: z.string().optional(), new: flag }),
  async run({ id, destination: name, appKey: given, new: mayAdd }, { ferry: open, say }) {
    const ferry = await open();
    const place = { userId: id, destination: name };
    const isThere = !mayAdd || (await hasDestination(ferry, place));
    const settings = isThere ? (await readDestination(ferry, place, TYPE)).settings : {};
    const { appKey, isNew } = chooseApp(settings, given);
    if ('DROPBOX_REFRESH_TOKEN_FILE' in settings) {
      throw new Failure(
        'The row takes the token from a staged file (DROPBOX_REFRESH_TOKEN_FILE). Remove that setting first.',
      );
    }
    // A token that cannot be sealed is not kept: nobody is to log in for nothing.
    await sealSettings(ferry, place, TYPE, { DROPBOX_REFRESH_TOKEN: 'none yet' });
    const oauthEndpoint = oauthEndpointOf(settings);
    const egress = await guardLogin(ferry, TYPE, {
      DROPBOX_APP_KEY: appKey,
      DROPBOX_REFRESH_TOKEN: new SealedSecret(),
      DROPBOX_OAUTH2_ENDPOINT: settings.DROPBOX_OAUTH2_ENDPOINT,
    });
    const transport = openTransport({ oauthEndpoint }, egress);
    const login = await openLogin(appKey, transport, oauthEndpoint);
    say(
      `Follow this link, allow the app, and copy the code that Dropbox shows:\n\n${login.link}\n`,
    );
    const { refreshToken, scopes } = await login
      .redeem(await ask('Code: '))
      .finally(() => transport.close());
    const changes = {
      DROPBOX_REFRESH_TOKEN: refreshToken,
      ...(isNew ? { DROPBOX_APP_KEY: appKey } : {}),
    };
    const sealed = await sealSettings(ferry, place, TYPE, changes);
    if (isThere) await writeSettings(ferry, place, TYPE, sealed);
    else await addDestination(ferry, place, TYPE, sealed);
    const stored = Object.keys(changes);
    const verb = stored.length === 1 ? 'is' : 'are';
    say(
      `\nDropbox lets Ferry in, and ${stored.join(' and ')} of "${name}" ${verb} in the row of "${id}".\n` +
        `Within seconds Ferry looks at the rest. See: ferry user show ${id}`,
    );
    return { result: { userId: id, destination: name, stored, scopes } };
  },
});

/** A token belongs to the app that it was made for, so the key in the row has to be that app's. */
function chooseApp(
  settings: Readonly<Record<string, unknown>>,
  given: string | undefined,
): { readonly appKey: string; readonly isNew: boolean } {
  const isInFile = 'DROPBOX_APP_KEY_FILE' in settings;
  const inRow = checked('DROPBOX_APP_KEY', settings.DROPBOX_APP_KEY);
  const appKey = checked('DROPBOX_APP_KEY', given) ?? inRow;
  if (appKey === undefined) {
    throw new Failure(
      isInFile
        ? 'The row takes the key of the app from a staged file. Give the same key with --app-key.'
        : 'The row has no DROPBOX_APP_KEY. Give the key of the Dropbox app with --app-key.',
    );
  }
  if (inRow !== undefined && inRow !== appKey) {
    throw new Failure(
      'The row has the key of another app in DROPBOX_APP_KEY. Change it there, or leave --app-key out.',
    );
  }
  return { appKey, isNew: inRow === undefined && !isInFile };
}

function checked(name: 'DROPBOX_APP_KEY', value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const parsed = dropboxSchema.shape[name].safeParse(value);
  if (parsed.success) return parsed.data;
  throw problemWith(name, parsed.error.issues[0]?.message);
}

function oauthEndpointOf(settings: Readonly<Record<string, unknown>>): URL | undefined {
  const { DROPBOX_OAUTH2_ENDPOINT: value } = settings;
  if (value === undefined || value === null || value === '') return undefined;
  const parsed = dropboxSchema.shape.DROPBOX_OAUTH2_ENDPOINT.safeParse(value);
  if (parsed.success) return parsed.data;
  throw problemWith('DROPBOX_OAUTH2_ENDPOINT', parsed.error.issues[0]?.message);
}

function problemWith(name: string, message = ''): Failure {
  const { problem, remedy } = splitIssue(message);
  return new Failure(`${name}: ${problem} ${remedy}`);
}
