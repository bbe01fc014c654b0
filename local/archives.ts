import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { PROJECT } from './cloud-assembly.ts';
import type { LocalUser } from './users.ts';

/** What is in one archive: packages of this checkout, or a folder of the invented web host. */
export type ArchiveContent = {
  readonly component: string;
  /** Compressed where it ends in `.gz`. */
  readonly file: string;
} & ({ readonly modules: readonly string[] } | { readonly site: SiteFolder });

type SiteFolder = 'crons' | 'mail' | 'mysql' | 'postgres' | 'vhosts';

/** An archive on disk, as a panel has it before it stages it. */
export interface MadeArchive {
  readonly userId: string;
  readonly component: string;
  readonly file: string;
  /** Where it lies. */
  readonly path: string;
}

/** An archive in the staging bucket. */
export interface StagedFile {
  readonly userId: string;
  readonly component: string;
  readonly file: string;
  /** `<userId>/<component>/<file>`. */
  readonly key: string;
  readonly bytes: number;
  /** Lowercase hex, of what was read from disk. */
  readonly sha256: string;
}

/** The embedded S3 takes no request larger than 11 MiB. */
const PART_BYTES = 8 * 1024 * 1024;

const run = promisify(execFile);

/** Makes every user's archives with `tar`, below `folder`. */
export async function makeArchives(
  users: readonly LocalUser[],
  folder: string,
  signal: AbortSignal,
): Promise<MadeArchive[]> {
  const site = join(folder, 'site');
  await writeSite(site);
  const made: MadeArchive[] = [];
  for (const { id: userId, archives } of users) {
    for (const content of archives) {
      const { component, file } = content;
      const path = join(folder, userId, component, file);
      await mkdir(dirname(path), { recursive: true });
      const [from, names] =
        'site' in content
          ? [site, [content.site]]
          : [join(PROJECT, 'node_modules'), content.modules];
      const create = file.endsWith('.gz') ? '-czf' : '-cf';
      await run('tar', [create, path, '-C', from, ...names], { signal });
      made.push({ userId, component, file, path });
    }
  }
  return made;
}

/** Moves archives into the staging bucket, as a panel does. */
export async function stageArchives(
  archives: readonly MadeArchive[],
  { s3, bucket }: { readonly s3: S3Client; readonly bucket: string },
  signal: AbortSignal,
): Promise<StagedFile[]> {
  const staged: StagedFile[] = [];
  for (const { path, ...archive } of archives) {
    signal.throwIfAborted();
    const key = `${archive.userId}/${archive.component}/${archive.file}`;
    const hash = createHash('sha256');
    let bytes = 0;
    const read = async function* () {
      for await (const chunk of createReadStream(path)) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    };
    const params = { Bucket: bucket, Key: key, Body: Readable.from(read()) };
    await new Upload({ client: s3, params, partSize: PART_BYTES }).done();
    staged.push({ ...archive, key, bytes, sha256: hash.digest('hex') });
    await rm(path);
  }
  return staged;
}

/** Files as a web host has them: a mailbox, database dumps, host definitions and a crontab. */
async function writeSite(site: string): Promise<void> {
  const write = async (path: string, text: string) => {
    await mkdir(join(site, dirname(path)), { recursive: true });
    await writeFile(join(site, path), text);
  };
  for (let mail = 0; mail < 300; mail += 1) {
    await write(
      `mail/INBOX/cur/17${String(mail).padStart(8, '0')}.M1P1.host:2,S`,
      `From: Grüße <a@example.org>\nSubject: Rechnung ${mail}\n\n${invent(`mail ${mail}`, 200).join('\n')}\n`,
    );
  }
  for (const database of ['mysql', 'postgres']) {
    const rows = invent(database, 150_000).map(
      (body, id) => `INSERT INTO posts VALUES (${id}, '${body}');`,
    );
    await write(
      `${database}/dump.sql`,
      `CREATE TABLE posts (id INT, body TEXT);\n${rows.join('\n')}\n`,
    );
  }
  await write(
    'vhosts/example.org.conf',
    '<VirtualHost *:80>\n  ServerName example.org\n</VirtualHost>\n',
  );
  await write('crons/crontab', '17 3 * * * /usr/bin/php cron.php\n');
}

/** Lines that hardly compress, the same for the same seed. */
function invent(seed: string, lines: number): string[] {
  return Array.from({ length: lines }, (_, line) =>
    createHash('sha256').update(`${seed} ${line}`).digest('base64'),
  );
}
