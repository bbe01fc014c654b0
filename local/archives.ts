import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
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

/** An archive in the staging bucket. */
export interface StagedFile {
  readonly userId: string;
  readonly component: string;
  readonly file: string;
  /** `<userId>/<component>/<file>`. */
  readonly key: string;
  readonly bytes: number;
  /** Lowercase hex, taken while `tar` wrote it. */
  readonly sha256: string;
}

/** The embedded S3 takes no request larger than 11 MiB. */
const PART_BYTES = 8 * 1024 * 1024;

/** Makes every user's archives with `tar` and puts them into the staging bucket, as a panel would. */
export async function stageArchives(
  users: readonly LocalUser[],
  target: { readonly s3: S3Client; readonly bucket: string },
  site: string,
  signal: AbortSignal,
): Promise<StagedFile[]> {
  await writeSite(site);
  const staged: StagedFile[] = [];
  for (const user of users) {
    for (const content of user.archives) {
      staged.push(await stage(user.id, content, target, site, signal));
    }
  }
  return staged;
}

async function stage(
  userId: string,
  content: ArchiveContent,
  { s3, bucket }: { readonly s3: S3Client; readonly bucket: string },
  site: string,
  signal: AbortSignal,
): Promise<StagedFile> {
  const { component, file } = content;
  const key = `${userId}/${component}/${file}`;
  const hash = createHash('sha256');
  let bytes = 0;
  const body = new PassThrough();
  const upload = new Upload({
    client: s3,
    params: { Bucket: bucket, Key: key, Body: body },
    partSize: PART_BYTES,
  });
  const [folder, names] =
    'site' in content ? [site, [content.site]] : [join(PROJECT, 'node_modules'), content.modules];
  const written = pipeline(
    readTar(folder, names, file.endsWith('.gz'), signal),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    },
    body,
    { signal },
  );
  await Promise.all([written, upload.done()]);
  return { userId, component, file, key, bytes, sha256: hash.digest('hex') };
}

/** What `tar` writes about the named entries of `folder`; fails when tar does. */
async function* readTar(
  folder: string,
  names: readonly string[],
  compress: boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const tar = spawn('tar', [compress ? '-czf' : '-cf', '-', '-C', folder, ...names], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const complaints: Buffer[] = [];
  tar.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once('error', reject);
    tar.once('close', resolve);
  });
  ended.catch(() => {});
  yield* tar.stdout;
  const code = await ended;
  if (code !== 0) throw new Error(`tar ended with ${code}: ${Buffer.concat(complaints)}`);
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
