import { startApache } from '../../servers/apache.ts';
import type { Seen } from '../../servers/http-front.ts';
import { davPlace } from './dav-server.ts';
import { type CrashPlace, partAt } from './place.ts';

/** Two parts are under way, of which the second one waits for the first; then there is time for a third. */
const sizes = { bytesAtOnce: 16 * 1024 ** 2, hopBytes: 24 * 1024 ** 2 };

/** Apache's mod_dav, which takes pieces by PUT. */
export async function startWebDavPlace(): Promise<CrashPlace> {
  const server = await startApache();
  const place = davPlace({
    ...{ name: 'webdav', called: 'Apache mod_dav' },
    ...{ server, nameOf, ...sizes },
  });
  return { ...place, halt: server.halt, start: server.start };
}

function nameOf({ method, path, headers }: Seen): string | undefined {
  if (path.includes('.ferry-probe-')) return method === 'GET' ? undefined : `trial ${method}`;
  const range = headers['content-range'] ?? '';
  switch (method) {
    case 'MKCOL':
      return 'folder made';
    case 'MOVE':
      return 'publish';
    case 'DELETE':
      return 'removed';
    case 'PUT':
      return partAt(Number(/^bytes (\d+)-/.exec(range)?.[1] ?? 0));
    default:
      return undefined;
  }
}
