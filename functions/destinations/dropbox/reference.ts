import type { References } from '../reference.ts';
import type { dropboxSchema } from './settings.ts';

export const dropboxReference: References<typeof dropboxSchema> = {
  DROPBOX_APP_KEY: {
    kind: 'text',
    default: 'required',
    example: 'a1b2c3d4e5f6g7h',
    meaning:
      'of an app in the [App Console](https://www.dropbox.com/developers/apps), with the permissions `files.metadata.read`, `files.content.write` and `files.content.read`',
  },
  DROPBOX_APP_SECRET: {
    kind: 'secret',
    default: 'none',
    example: 'h7g6f5e4d3c2b1a',
    meaning:
      'needed where the token was made with it; one from `ferry dropbox connect` does without',
  },
  DROPBOX_REFRESH_TOKEN: {
    kind: 'secret',
    default: 'required',
    example: 'EXAMPLE-REFRESH-TOKEN',
    meaning:
      '`ferry dropbox connect` makes it and puts it here. A token that the App Console generates (`sl.…`) stops working after four hours and is refused',
  },
  DROPBOX_REMOTE_PATH: {
    kind: 'path',
    default: 'the root',
    example: '/backups',
    meaning:
      'folder, with or without a slash in front; created when missing. An app of one folder sees that folder as the root (`/Apps/<app>` to the user)',
  },
  DROPBOX_CONCURRENCY_LEVEL: {
    kind: 'number',
    default: '`4`',
    example: 4,
    meaning: '1 to 16: requests with content at once',
  },
  DROPBOX_ENDPOINT: {
    kind: 'address',
    default: 'Dropbox',
    example: 'https://dropbox.example.com',
    meaning: 'of another server, for tests: every route goes to `<address>/2/<route>`',
  },
  DROPBOX_OAUTH2_ENDPOINT: {
    kind: 'address',
    default: 'Dropbox',
    example: 'https://dropbox.example.com',
    meaning:
      'of another server, for tests: tokens come from `<address>/oauth2/token`. Give both or neither, else tokens of one go to the other',
  },
};
