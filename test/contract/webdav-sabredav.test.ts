import { startSabre } from '../servers/sabredav.ts';
import { conformance } from './conformance.ts';
import { webdavSubject } from './webdav-subject.ts';

conformance('WebDAV on SabreDAV', async () => {
  const server = await startSabre();
  return webdavSubject({ server, resumes: true, stop: () => server.stop() });
});

conformance('WebDAV on SabreDAV with Digest', async () => {
  const server = await startSabre({ auth: 'digest' });
  return webdavSubject({ server, resumes: true, stop: () => server.stop() });
});
