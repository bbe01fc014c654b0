import { createAuthority } from '../servers/certificates.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import { conformance } from './conformance.ts';
import type { NotHere } from './subject.ts';
import { webdavSubject } from './webdav-subject.ts';

function refusesName(name: string): NotHere | undefined {
  return name.startsWith('.')
    ? { notHere: 'nginx lists no names that begin with a dot' }
    : undefined;
}

conformance('WebDAV on nginx dav', async () => {
  const server = await startNginx();
  return webdavSubject({ server, resumes: false, refusesName, stop: () => server.stop() });
});

conformance('WebDAV on nginx dav over TLS', async () => {
  const authority = await createAuthority();
  const server = await startNginx({ tls: await authority.issue('IP:127.0.0.1') });
  return webdavSubject({
    ...{ server, resumes: false, refusesName },
    trust: { WEBDAV_URL_CA_CERT: authority.pem },
    async stop() {
      await server.stop();
      await authority.remove();
    },
  });
});
