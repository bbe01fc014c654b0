import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** One WebDAV server on loopback, with one user, as tests see it. */
export interface WebDavServer {
  /** Of the folder that the user stores in, without a slash at the end: `http://127.0.0.1:<port>/dav` */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** On this disk: what is stored, to look at without WebDAV. */
  readonly folder: string;
  /** Ends it in the middle of whatever it does, and removes all that it stored. */
  stop(): Promise<void>;
}

/** What most servers can be told. */
export interface WebDavOptions {
  /** `basic` unless said otherwise; a server for `digest` refuses Basic. */
  readonly auth?: 'basic' | 'digest' | 'none';
  /** A random one unless given. */
  readonly password?: string;
  /** Stores on a file system of so many bytes. Needs root. */
  readonly smallBytes?: number;
  /** Answers 413 to a request body larger than this. */
  readonly mostBodyBytes?: number;
  /** Speaks https with this key and certificate, PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** The path in front of everything that the real servers store. */
export const BASE_PATH = '/dav';
export const USERNAME = 'ferry';
export const REALM = 'backups';

const run = promisify(execFile);

/** What a server has on this disk. */
export interface Home {
  /** Its configuration and state. */
  at(name: string): string;
  /** What users store. */
  readonly storage: string;
  remove(): Promise<void>;
}

/** Makes a folder for a server, with an empty storage in it. */
export async function makeHome(name: string, smallBytes?: number): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), `ferry-${name}-`));
  // A worker of another user has to come through.
  await run('chmod', ['755', folder]);
  const storage = join(folder, 'storage');
  await mkdir(storage);
  if (smallBytes !== undefined) {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${smallBytes}`, 'tmpfs', storage]);
  }
  return {
    at: (file) => join(folder, file),
    storage,
    async remove() {
      if (smallBytes !== undefined) await run('umount', ['-l', storage]);
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

export const randomPassword = (): string => `pass-${randomBytes(12).toString('hex')}`;

/** A line of a password file for Basic, as Apache and nginx read it. */
export function basicLine(password: string): string {
  return `${USERNAME}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`;
}

/** A line of a password file for Digest, as Apache and SabreDAV read it. */
export function digestLine(password: string): string {
  const secret = createHash('md5').update(`${USERNAME}:${REALM}:${password}`).digest('hex');
  return `${USERNAME}:${REALM}:${secret}\n`;
}
