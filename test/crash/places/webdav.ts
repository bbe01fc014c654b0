import { startApache } from '../../servers/apache.ts';
import type { Seen } from '../../servers/http-front.ts';
import { startSabre } from '../../servers/sabredav.ts';
import { davPlace } from './dav-server.ts';
import { type CrashPlace, type Place, partAt } from './place.ts';

/** Two parts are under way, of which the second one waits for the first; then there is time for a third. */
const APACHE = { bytesAtOnce: 16 * 1024 ** 2, hopBytes: 24 * 1024 ** 2 };
/** It reads a file whole each time it is asked for its ETag: a smaller one, on a slower line. */
const SABRE = { bytesAtOnce: 8 * 1024 ** 2, hopBytes: 16 * 1024 ** 2 };

/** Apache's mod_dav, which takes pieces by PUT. */
export async function startWebDavPlace(): Promise<CrashPlace> {
  const server = await startApache();
  const place = davPlace({
    ...{ name: 'webdav', called: 'Apache mod_dav' },
    ...{ server, nameOf, ...APACHE },
  });
  return { ...place, halt: server.halt, start: server.start };
}

/** SabreDAV, which takes pieces by PATCH. */
export async function startSabrePlace(): Promise<Place> {
  const server = await startSabre();
  return davPlace({
    ...{ name: 'sabredav', called: 'SabreDAV', own: '.sabredav' },
    ...{ server, nameOf, ...SABRE },
  });
}

function nameOf({ method, path, headers }: Seen): string | undefined {
  if (path.includes('.ferry-probe-')) return method === 'GET' ? undefined : `trial ${method}`;
  const range = headers['content-range'] ?? headers['x-update-range'] ?? '';
  switch (method) {
    case 'MKCOL':
      return 'folder made';
    case 'MOVE':
      return 'publish';
    case 'DELETE':
      return 'removed';
    case 'PATCH':
    case 'PUT':
      return partAt(Number(/^bytes[ =](\d+)-/.exec(String(range))?.[1] ?? 0));
    default:
      return undefined;
  }
}
