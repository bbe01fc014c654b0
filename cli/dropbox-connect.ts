import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ANYWHERE } from '../functions/core/egress.ts';
import { dropboxSchema } from '../functions/destinations/dropbox/settings.ts';
import { openTransport } from '../functions/destinations/dropbox/transport.ts';
import { splitIssue } from '../functions/destinations/setting.ts';
import { openEgress } from '../functions/egress/egress.ts';
import type { ConnectChoices } from './command-line.ts';
import { openLogin } from './dropbox-login.ts';
import { Failure } from './failure.ts';
import { ask } from './question.ts';
import { readSettings, writeSettings } from './settings-row.ts';

const TYPE = 'dropbox';

/** What was done; nothing of it is secret. */
export interface Connected {
  readonly userId: string;
  readonly destination: string;
  /** Names of the settings that were written. */
  readonly stored: readonly string[];
  readonly scopes: readonly string[];
}

/** Lets Ferry into a user's Dropbox and keeps the refresh token in the user's row. */
export async function connectDropbox(
  choices: ConnectChoices,
  say: (text: string) => void,
): Promise<Connected> {
  const { userId, destination, region, endpoint } = choices;
  const client = new DynamoDBClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const documents = DynamoDBDocumentClient.from(client);
  try {
    const settings = await readSettings(documents, choices, TYPE);
    const { appKey, isNew } = chooseApp(settings, choices.appKey);
    if ('DROPBOX_REFRESH_TOKEN_FILE' in settings) {
      throw new Failure(
        'The row takes the token from a staged file (DROPBOX_REFRESH_TOKEN_FILE). Remove that setting first.',
      );
    }
    const oauthEndpoint = oauthEndpointOf(settings);
    const transport = openTransport({ oauthEndpoint }, openEgress(ANYWHERE));
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
    await writeSettings(documents, choices, TYPE, changes);
    const stored = Object.keys(changes);
    const verb = stored.length === 1 ? 'is' : 'are';
    say(
      `\nDropbox lets Ferry in, and ${stored.join(' and ')} of "${destination}" ${verb} in the row of "${userId}".\n` +
        'Within seconds "status" of the row says whether everything else is right, and when the next run is.',
    );
    return { userId, destination, stored, scopes };
  } finally {
    client.destroy();
  }
}

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
