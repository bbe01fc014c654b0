import { parseArgs } from 'node:util';
import { z } from 'zod';

/** What `ferry dropbox connect` is asked to do. */
export interface ConnectChoices {
  readonly userId: string;
  /** The name of the destination in the user's row. */
  readonly destination: string;
  /** Of the settings table. */
  readonly table: string;
  /** The key that seals secrets. */
  readonly secretsKey: string;
  /** Found in the environment or the profile where it is not given, as by every AWS tool. */
  readonly region?: string | undefined;
  /** Of another DynamoDB than AWS's. */
  readonly endpoint?: string | undefined;
  readonly appKey?: string | undefined;
  readonly json: boolean;
}

export type Command =
  | { readonly name: 'help'; readonly text: string }
  | { readonly name: 'misuse'; readonly problem: string }
  | { readonly name: 'dropbox connect'; readonly choices: ConnectChoices };

export const USAGE = `ferry dropbox connect <userId> <destination> --table <settings table> --secrets-key <key>

ferry --help or ferry dropbox connect --help says more.
`;

const HELP = `ferry <command>

  ferry dropbox connect   lets Ferry into a user's Dropbox

ferry <command> --help says more.
`;

const CONNECT_HELP = `ferry dropbox connect <userId> <destination> --table <settings table> --secrets-key <key>

Lets Ferry into a user's Dropbox: shows a link, asks for the code that Dropbox shows to whoever follows
it, and puts a refresh token, sealed, into the user's row of the settings table. The row has to have a
destination of this name and of type dropbox; nothing else in it changes. No app secret is needed.

  --table        name of the settings table (stack output SettingsTable)
  --secrets-key  key that seals secrets (stack output SecretsKeyArn)
  --app-key      key of the Dropbox app; by default DROPBOX_APP_KEY of the destination
  --region       AWS Region of the table
  --endpoint     address of another DynamoDB than AWS's
  --json         the last line of standard output is one JSON document, everything else goes to
                 standard error
  --help         this text

The app comes from dropbox.com/developers/apps: "Scoped access", with the permissions
files.metadata.read, files.content.write and files.content.read switched on and submitted.

Example:
  ferry dropbox connect alice box --table ferry-prod-settings \\
    --secrets-key arn:aws:kms:eu-central-1:111122223333:key/… --app-key a1b2c3d4e5f6g7h

Exit status: 0 when the token is stored, 1 when not, 2 for wrong arguments.
`;

const connectArguments = z.tuple([
  z.literal('dropbox'),
  z.literal('connect'),
  z.string(),
  z.string(),
]);

export function readCommand(args: readonly string[]): Command {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        table: { type: 'string' },
        'secrets-key': { type: 'string' },
        'app-key': { type: 'string' },
        region: { type: 'string' },
        endpoint: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const isConnect = positionals[0] === 'dropbox' && positionals[1] === 'connect';
    if (values.help) return { name: 'help', text: isConnect ? CONNECT_HELP : HELP };
    if (!isConnect) return misuse(positionals);
    const named = connectArguments.safeParse(positionals);
    if (!named.success) {
      return { name: 'misuse', problem: 'Give the user and the name of one destination.' };
    }
    const [, , userId, destination] = named.data;
    const { table, 'secrets-key': secretsKey, region, endpoint, json } = values;
    if (table === undefined) return { name: 'misuse', problem: 'Give the table with --table.' };
    if (secretsKey === undefined) {
      return { name: 'misuse', problem: 'Give the key that seals secrets with --secrets-key.' };
    }
    return {
      name: 'dropbox connect',
      choices: {
        userId,
        destination,
        table,
        secretsKey,
        region,
        endpoint,
        json,
        appKey: values['app-key'],
      },
    };
  } catch (thrown) {
    return { name: 'misuse', problem: explain(thrown) };
  }
}

/** The first sentence says which option; those after it are for who wrote the program. */
function explain(thrown: unknown): string {
  const [sentence = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('. ');
  return `${sentence.replace(/[.]$/, '')}.`;
}

function misuse(words: readonly string[]): Command {
  if (words.length === 0) return { name: 'misuse', problem: 'Give a command.' };
  const isHalf = words.length === 1 && words[0] === 'dropbox';
  const problem = isHalf
    ? 'Say what to do: ferry dropbox connect.'
    : `There is no command "${words.join(' ')}".`;
  return { name: 'misuse', problem };
}
