import { MiB } from '../../functions/core/parts.ts';
import { startSabre } from '../servers/sabredav.ts';
import { conformance } from './conformance.ts';
import { webdavSubject } from './webdav-subject.ts';

const isRoot = process.getuid?.() === 0;

conformance('WebDAV on SabreDAV', async () => {
  const server = await startSabre();
  // It says that all is well although its disk is full; then its quota tells.
  const full = isRoot ? { full: await startSabre({ smallBytes: 4 * MiB }) } : {};
  return webdavSubject({ server, ...full, resumes: true, stop: () => server.stop() });
});

conformance('WebDAV on SabreDAV with Digest', async () => {
  const server = await startSabre({ auth: 'digest' });
  return webdavSubject({ server, resumes: true, stop: () => server.stop() });
});
