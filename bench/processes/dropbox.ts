import { z } from 'zod';
import { startDropboxFake } from '../../local/dropbox/server.ts';

/** The fake of Dropbox in a process of its own, with one account that has let the app in. */
const { folder, key, cert } = z
  .object({ folder: z.string(), key: z.string(), cert: z.string() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const fake = await startDropboxFake({ folder, tls: { key, cert } });
const refreshToken = fake.oauth.connect(fake.app, fake.addAccount('bench'));
const { access_token: accessToken } = fake.oauth.accessTokenFor(refreshToken);
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: { endpoint: fake.endpoint, app: fake.app, refreshToken, accessToken } });
