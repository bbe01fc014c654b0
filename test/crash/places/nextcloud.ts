import { readdir } from 'node:fs/promises';
import type { Seen } from '../../servers/http-front.ts';
import { startNextcloudFake } from '../../servers/nextcloud-fake.ts';
import { davPlace } from './dav-server.ts';
import type { Place } from './place.ts';

/** There is room for one at a time. */
const CHUNK = 10 * 1024 ** 2;

/** The fake of Nextcloud, which takes chunks. */
export async function startNextcloudPlace(): Promise<Place> {
  const server = await startNextcloudFake();
  return davPlace({
    ...{ name: 'nextcloud', called: 'fake of Nextcloud', server, nameOf },
    ...{ bytesAtOnce: CHUNK, hopBytes: CHUNK },
    unfinished: () => readdir(server.uploads, { recursive: true }),
  });
}

/** Chunks have their number for a name. */
function nameOf({ method, path }: Seen): string | undefined {
  const chunk = /\/uploads\/.*\/(\d+)$/.exec(path)?.[1];
  if (method === 'PUT' && chunk !== undefined) return `part ${Number(chunk)}`;
  if (method === 'PUT') return 'file put';
  if (method === 'MKCOL') return 'folder made';
  if (method === 'MOVE') return 'publish';
  return method === 'DELETE' ? 'removed' : undefined;
}
