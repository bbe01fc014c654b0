import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWebDavServer } from '../../local/webdav-server.ts';
import { randomPassword, USERNAME } from '../servers/webdav-server.ts';
import { conformance } from './conformance.ts';
import { webdavSubject } from './webdav-subject.ts';

conformance('WebDAV on the embedded server', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ferry-webdav-'));
  const password = randomPassword();
  const { url, stop } = await startWebDavServer({ root, users: { [USERNAME]: password } });
  const server = { url, username: USERNAME, password, folder: join(root, USERNAME), stop };
  return webdavSubject({
    server,
    resumes: false,
    refusesName: (name) =>
      name.includes('\\') ? { notHere: 'the server takes a backslash for a slash' } : undefined,
    async stop() {
      await stop();
      await rm(root, { recursive: true });
    },
  });
});
