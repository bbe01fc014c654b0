import { MiB } from '../../functions/core/parts.ts';
import { startApache } from '../servers/apache.ts';
import { createAuthority } from '../servers/certificates.ts';
import { conformance } from './conformance.ts';
import { webdavSubject } from './webdav-subject.ts';

const isRoot = process.getuid?.() === 0;

conformance('WebDAV on Apache mod_dav', async () => {
  const server = await startApache();
  const full = isRoot ? { full: await startApache({ smallBytes: 4 * MiB }) } : {};
  return webdavSubject({ server, ...full, resumes: true, stop: () => server.stop() });
});

conformance('WebDAV on Apache mod_dav with Digest', async () => {
  const server = await startApache({ auth: 'digest' });
  return webdavSubject({ server, resumes: true, stop: () => server.stop() });
});

conformance('WebDAV on Apache mod_dav over TLS', async () => {
  const authority = await createAuthority();
  const server = await startApache({ tls: await authority.issue('IP:127.0.0.1') });
  return webdavSubject({
    server,
    trust: { WEBDAV_URL_CA_CERT: authority.pem },
    resumes: true,
    async stop() {
      await server.stop();
      await authority.remove();
    },
  });
});
