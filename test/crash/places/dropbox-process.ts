import { z } from 'zod';
import { startDropboxFake } from '../../../local/dropbox/server.ts';

/** The fake of Dropbox as a process of its own, with one account, which may be killed at any moment. */
const { folder, refreshToken, port } = z
  .object({ folder: z.string(), refreshToken: z.string(), port: z.number().optional() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const fake = await startDropboxFake({ folder, goesOn: true, ...(port && { port }) });
fake.oauth.connect(fake.app, fake.addAccount('crash'), {}, refreshToken);
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: { endpoint: fake.endpoint, app: fake.app } });
