import { MiB } from '../../functions/core/parts.ts';
import { type NextcloudOptions, startNextcloudFake } from '../servers/nextcloud-fake.ts';
import { conformance } from './conformance.ts';
import type { NotHere } from './subject.ts';
import { webdavSubject } from './webdav-subject.ts';

function refusesName(name: string): NotHere | undefined {
  if (name.includes('\\')) return { notHere: 'Nextcloud forbids names with a backslash' };
  if (name.normalize('NFC') !== name) return { notHere: 'Nextcloud stores names in NFC' };
  return undefined;
}

function nextcloud(name: string, options: NextcloudOptions, showsChunks: boolean) {
  conformance(`WebDAV on a fake of Nextcloud ${name}`, async () => {
    const server = await startNextcloudFake(options);
    const full = await startNextcloudFake({ ...options, quotaBytes: 7 * MiB });
    return webdavSubject({
      ...{ server, full, refusesName, uploads: server.uploads },
      resumes: showsChunks,
      stop: () => server.stop(),
    });
  });
}

nextcloud('(v1)', { version: 'v1' }, true);
nextcloud('(v2)', { version: 'v2' }, true);
nextcloud('(v2 that lists no parts)', { version: 'v2', listsParts: false }, false);
