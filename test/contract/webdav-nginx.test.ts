import { startNginx } from '../servers/nginx-dav.ts';
import { conformance } from './conformance.ts';
import { webdavSubject } from './webdav-subject.ts';

conformance('WebDAV on nginx dav', async () => {
  const server = await startNginx();
  return webdavSubject({
    server,
    resumes: false,
    refusesName: (name) =>
      name.startsWith('.') ? { notHere: 'nginx lists no names that begin with a dot' } : undefined,
    stop: () => server.stop(),
  });
});
