import { AUTHORITY, INSECURE, type References } from '../reference.ts';
import type { webDavSchema } from './settings.ts';

export const webDavReference: References<typeof webDavSchema> = {
  WEBDAV_URL: {
    kind: 'address',
    default: 'required',
    example: 'https://cloud.example.com/remote.php/dav/files/alice',
    meaning:
      'of a folder that exists, as the server shows it for WebDAV. No user name in it. Plain `http` only where the operator allows it',
  },
  WEBDAV_PATH: {
    kind: 'path',
    default: '`/`',
    example: '/backups',
    meaning: 'folder below that; created when missing',
  },
  WEBDAV_USERNAME: {
    kind: 'text',
    default: 'none',
    example: 'alice',
    meaning: 'both this and the password, or neither for a server that asks nobody who they are',
  },
  WEBDAV_PASSWORD: {
    kind: 'secret',
    default: 'none',
    example: 'correct horse battery staple',
    meaning:
      'Basic and Digest; over plain http the password itself is sent only to a server that does not offer Digest. With two-factor login an app password',
  },
  WEBDAV_URL_INSECURE: INSECURE,
  WEBDAV_URL_CA_CERT: AUTHORITY,
};
