import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDropboxFake } from '../../local/dropbox/server.ts';
import { settingsOf } from './dropbox-subject.ts';
import { trust } from './trust.ts';

trust('dropbox', { address: 'DROPBOX_ENDPOINT' }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dropbox-tls-'));
  const fake = await startDropboxFake({ folder });
  const account = fake.addAccount('tls');
  return {
    origin: fake.endpoint,
    settingsAt: (origin) => settingsOf(fake, account, origin),
    async stop() {
      await fake.stop();
      await rm(folder, { recursive: true });
    },
  };
});
