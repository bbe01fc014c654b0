import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carryOver } from '../../cli/import/carry-over.ts';
import { readEnvFile } from '../../cli/import/env-file.ts';
import { readFilesBelow } from '../../cli/import/files.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { parseRow } from '../../functions/settings/row.ts';

let folder: string;
const keyText = '-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carry-over-'));
  mkdirSync(join(folder, 'keys/run/secrets'), { recursive: true });
  writeFileSync(join(folder, 'outside'), 'of this machine');
  writeFileSync(join(folder, 'keys/run/secrets/password'), 'from a file\n');
  writeFileSync(join(folder, 'keys/id_rsa'), keyText);
  symlinkSync(join(folder, 'outside'), join(folder, 'keys/link'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const carry = (text: string) => carryOver(readEnvFile(text), readFilesBelow(join(folder, 'keys')));
const SSH = 'SSH_HOST_NAME=nas.example.com\nSSH_USER=alice\nSSH_PASSWORD=x\n';
const notesOn = async (text: string, name: string) =>
  (await carry(text)).notes.filter((found) => found.name === name).map(({ note }) => note);

/** Every kind that docker-volume-backup and Ferry have, as its reference shows them. */
const ALL_FIVE = `
BACKUP_CRON_EXPRESSION="0 30 2 * * *"
TZ=Europe/Berlin
export AWS_S3_BUCKET_NAME="alice-backups"
AWS_S3_PATH=my/path
AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
AWS_SECRET_ACCESS_KEY='wJalrXUtnFEMI/K7MDENG'
AWS_ENDPOINT=minio.example.com
AWS_ENDPOINT_PROTO=https
AWS_ENDPOINT_INSECURE=F
AWS_PART_SIZE=16
WEBDAV_URL=https://dav.example.com
WEBDAV_PATH=/backups/
WEBDAV_USERNAME=alice
WEBDAV_PASSWORD="a # b"
WEBDAV_URL_INSECURE=false
SSH_HOST_NAME=nas.example.com
SSH_PORT=2222
SSH_USER=alice
SSH_PASSWORD=x#y
SSH_REMOTE_PATH=/home/alice
AZURE_STORAGE_ACCOUNT_NAME=alicestore
AZURE_STORAGE_PRIMARY_ACCOUNT_KEY=${Buffer.alloc(64, 'k').toString('base64')}
AZURE_STORAGE_CONTAINER_NAME=backups
AZURE_STORAGE_ACCESS_TIER=Cool
DROPBOX_APP_KEY=abcdefghijklmno
DROPBOX_APP_SECRET=abcdefghijklmno
DROPBOX_REFRESH_TOKEN=0123456789-abcdefghij
DROPBOX_REMOTE_PATH=/backups
DROPBOX_CONCURRENCY_LEVEL=6
`;

describe('carrying over', () => {
  it('makes a destination of each type that is switched on, which Ferry accepts as it is', async () => {
    const { notes, spec } = await carry(ALL_FIVE);
    expect(notes).toEqual([]);
    expect(Object.keys(spec.destinations)).toEqual(['azure', 'dropbox', 's3', 'ssh', 'webdav']);
    expect(spec.schedule).toEqual({ cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
    expect(spec.destinations.ssh).toEqual({
      type: 'ssh',
      settings: {
        SSH_HOST_NAME: 'nas.example.com',
        SSH_PORT: '2222',
        SSH_USER: 'alice',
        SSH_PASSWORD: 'x#y',
        SSH_REMOTE_PATH: '/home/alice',
      },
    });
    const parsed = parseRow({ userId: 'alice', spec }, parseDestination, NO_LIMITS);
    expect(parsed.ok ? [] : parsed.problems).toEqual([]);
  });

  it.each([
    ['BACKUP_COMPRESSION=zst', /packed/],
    ['GPG_PASSPHRASE=hidden', /encrypt/],
    ['AGE_PUBLIC_KEYS=age1', /encrypt/],
    ['NOTIFICATION_URLS=discord://hidden@id', /messages/],
    ['EMAIL_SMTP_PASSWORD=hidden', /messages/],
    ['EXEC_LABEL=x', /commands/],
    ['LOCK_TIMEOUT=60m', /overlap/],
    ['BACKUP_RETENTION_DAYS=7', /removes nothing/],
    ['BACKUP_PRUNING_PREFIX=x', /removes nothing/],
    ['BACKUP_FILENAME=x', /name/],
    ['GOOGLE_DRIVE_CREDENTIALS_JSON={}', /no destination of this type/],
    ['SSH_PASWORD=hidden', /Did you mean SSH_PASSWORD/],
    ['SOMETHING_ELSE=hidden', /Neither/],
    ['WEBDAV_PASSWORD=hidden', /without WEBDAV_URL/],
    ['DROPBOX_APP_KEY=hidden', /dropbox connect/],
  ])('%s is listed with the reason, and its value is not', async (line, reason) => {
    const [name = ''] = line.split('=');
    const { notes, spec } = await carry(`${SSH}TZ=UTC\n${line}\n`);
    expect(notes).toEqual([{ name, line: 5, note: expect.stringMatching(reason) }]);
    expect(JSON.stringify([notes, spec])).not.toContain('hidden');
  });

  it.each([
    ['0 30 2 * * *', '30 2 * * *', 0],
    ['15 30 2 * * ?', '30 2 * * ?', 1],
    ['CRON_TZ=Asia/Tokyo 30 2 * * *', '30 2 * * *', 0],
    ['TZ=Asia/Tokyo 0 30 2 * * *', '30 2 * * *', 0],
    ['@every 6h', '@every 6h', 0],
    ['@weekly', '@weekly', 0],
  ])('the schedule %j becomes %j', async (expression, cron, notes) => {
    const carried = await carry(`${SSH}TZ=:Asia/Tokyo\nBACKUP_CRON_EXPRESSION="${expression}"`);
    expect(carried.spec.schedule).toEqual({ cron, timeZone: 'Asia/Tokyo' });
    expect(carried.notes).toHaveLength(notes);
    expect(parseRow({ userId: 'a', spec: carried.spec }, parseDestination, NO_LIMITS).ok).toBe(
      true,
    );
  });

  it.each(['0 0 5 31 2 ?', '0 5 31 2 ?'])(
    'a schedule that never comes (%s) switches the user off',
    async (expression) => {
      const { notes, spec } = await carry(`${SSH}TZ=UTC\nBACKUP_CRON_EXPRESSION=${expression}`);
      expect(spec).toMatchObject({ enabled: false });
      expect(spec).not.toHaveProperty('schedule');
      expect(notes).toMatchObject([{ note: expect.stringMatching(/never comes/) }]);
      expect(parseRow({ userId: 'a', spec }, parseDestination, NO_LIMITS).ok).toBe(true);
    },
  );

  it('says that the zone was not in the file', async () => {
    expect(await notesOn(SSH, 'BACKUP_CRON_EXPRESSION')).toMatchObject([/UTC/]);
  });

  it('takes what is given twice from where it is given last, and says so', async () => {
    const { notes, spec } = await carry(`SSH_PASSWORD=first\n${SSH}TZ=UTC`);
    expect(spec.destinations.ssh?.settings).toMatchObject({ SSH_PASSWORD: 'x' });
    expect(notes).toMatchObject([{ name: 'SSH_PASSWORD', line: 1 }]);
  });

  it('puts the text of files into settings, by _FILE and by path', async () => {
    const text = `SSH_HOST_NAME=h.example.com\nSSH_USER=a\nSSH_PASSWORD_FILE=/run/secrets/password\nSSH_IDENTITY_FILE=/id_rsa\nTZ=UTC`;
    const { notes, spec } = await carry(text);
    expect(notes).toEqual([]);
    expect(spec.destinations.ssh?.settings).toMatchObject({
      SSH_PASSWORD: 'from a file\n',
      SSH_IDENTITY_FILE: keyText,
    });
  });

  it.each(['/etc/passwd', '../outside', 'link', '/link', '.', '/run'])(
    'never reads %s of the machine that it runs on',
    async (path) => {
      const { notes, spec } = await carry(
        `${SSH.replace('SSH_PASSWORD=x\n', '')}SSH_PASSWORD_FILE=${path}\nTZ=UTC`,
      );
      expect(spec.destinations.ssh?.settings).toMatchObject({ SSH_PASSWORD_FILE: path });
      expect(spec.destinations.ssh?.settings).not.toHaveProperty('SSH_PASSWORD');
      expect(notes).toMatchObject([
        { name: 'SSH_PASSWORD_FILE', note: expect.stringMatching(/not there/) },
      ]);
    },
  );

  it('keeps the path of a file that is not there, for the user to stage', async () => {
    const { notes, spec } = await carry(`${SSH}SSH_IDENTITY_FILE=/var/www/html/id_ed25519\nTZ=UTC`);
    expect(spec.destinations.ssh?.settings).toMatchObject({
      SSH_IDENTITY_FILE: '/var/www/html/id_ed25519',
    });
    expect(notes).toMatchObject([
      { name: 'SSH_IDENTITY_FILE', note: expect.stringMatching(/stage it/) },
    ]);
  });
});
