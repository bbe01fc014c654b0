import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { Upload } from '@aws-sdk/lib-storage';
import { z } from 'zod';
import { splitKey } from '../../functions/core/archive.ts';
import { defineCommand } from '../command.ts';
import { misuse } from '../failure.ts';
import { userId } from '../given.ts';
import { showProgress } from '../progress.ts';
import { formatBytes } from '../tables.ts';
import { findUser } from '../users.ts';

const MiB = 1024 * 1024;
/** S3 takes 10,000 parts; its largest object has 5 TiB and its smallest part 5 MiB. */
const MOST_PARTS = 10_000;
const SMALLEST_PART = 8 * MiB;
/** Of what has no known size: up to 625 GiB. */
const UNKNOWN_PART = 64 * MiB;

export const stage = defineCommand({
  name: 'stage',
  summary: 'stages an archive for a user, as the panel does',
  about: `The archive goes into the staging bucket with a CRC-32 over all of it, against which Ferry holds what
it reads. It is delivered with the next run: "ferry run" does not wait for the schedule.`,
  arguments: { '<id>': 'the user', '<file>': 'the archive; "-" reads standard input' },
  options: {
    '--component <name>': 'what it holds: html, mail, mysql, … (default: files)',
    '--name <name>': 'what it is to be called there; by default as the file is',
  },
  examples: [
    'ferry stage alice backup.tar.gz --component html',
    'mysqldump shop | gzip | ferry stage alice - --component mysql --name shop.sql.gz',
  ],
  given: z.object({
    id: userId,
    file: z.string(),
    component: z
      .string()
      .regex(/^[^/.][^/]*$/, 'A component has no slash, and begins with no dot.')
      .default('files'),
    name: z.string().min(1, '--name may not be empty.').optional(),
  }),
  async run(
    { id, file, component, name = file === '-' ? undefined : basename(file) },
    { ferry, say },
  ) {
    if (name === undefined) throw misuse('Say with --name what standard input is to be called.');
    const key = `${id}/${component}/${name}`;
    if (!splitKey(id, key)) throw misuse(`An archive cannot be called "${component}/${name}".`);
    const { bytes, body } = await open(file);
    const deployment = await ferry();
    const { largestPart, outputs, s3 } = deployment;
    if (!(await findUser(deployment, id)))
      say(`There is no user "${id}" yet: nobody fetches this.`);
    const wanted = bytes === undefined ? UNKNOWN_PART : Math.ceil(bytes / MOST_PARTS / MiB) * MiB;
    const partSize = Math.min(largestPart, Math.max(SMALLEST_PART, wanted));
    const upload = new Upload({
      client: s3,
      params: {
        Bucket: outputs.StagingBucket,
        Key: key,
        Body: body,
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
      },
      partSize,
      queueSize: 4,
    });
    let sent = 0;
    {
      using progress = showProgress();
      upload.on('httpUploadProgress', ({ loaded = 0 }) => {
        sent = loaded;
        const of = bytes === undefined ? '' : ` of ${formatBytes(bytes)}`;
        progress.tell(`${formatBytes(sent)}${of}`);
      });
      await upload.done();
    }
    say(`Staged ${component}/${name} for "${id}" (${formatBytes(sent)}).`);
    return { result: { userId: id, key, bytes: sent } };
  },
});

async function open(
  file: string,
): Promise<{ readonly bytes: number | undefined; readonly body: Readable }> {
  if (file === '-') return { bytes: undefined, body: process.stdin };
  const found = await stat(file).catch(() => undefined);
  if (!found) throw misuse(`There is no file ${file}.`);
  if (found.isDirectory()) throw misuse(`${file} is a folder. Pack it first: tar -czf …`);
  return { bytes: found.isFile() ? found.size : undefined, body: createReadStream(file) };
}
