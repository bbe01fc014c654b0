import { constants, type Stats } from 'node:fs';
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { join, posix } from 'node:path';
import ssh2, { type Attributes, type FileEntry, type SFTPWrapper } from 'ssh2';

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

/** Something a client has open: a file, or what is left of a folder's listing. */
type Opened = { readonly file: FileHandle } | { readonly entries: FileEntry[] };

/** A request that the client is told no to, with a status of SFTP version 3. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super();
    this.status = status;
  }
}

/**
 * Answers SFTP requests with a folder on this disk as the root. Paths are normalised against that
 * root, and no request makes links, so none leads out of it. Like OpenSSH's, RENAME does not replace.
 */
export function serveFolder(sftp: SFTPWrapper, root: string): void {
  const opened = new Map<number, Opened>();
  let nextHandle = 0;
  const locate = (path: string) => join(root, posix.resolve('/', path));

  const keep = (id: number, what: Opened) => {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(nextHandle);
    opened.set(nextHandle++, what);
    sftp.handle(id, handle);
  };
  const find = (handle: Buffer): Opened => {
    const found = handle.length === 4 ? opened.get(handle.readUInt32BE()) : undefined;
    if (!found) throw new Refusal(STATUS_CODE.FAILURE);
    return found;
  };
  const fileOf = (handle: Buffer): FileHandle => {
    const found = find(handle);
    if ('file' in found) return found.file;
    throw new Refusal(STATUS_CODE.FAILURE);
  };
  const ok = (id: number) => sftp.status(id, STATUS_CODE.OK);
  /** Makes a request's handler: whatever it throws becomes the status of the answer. */
  const answering =
    <Rest extends unknown[]>(work: (id: number, ...rest: Rest) => Promise<unknown>) =>
    (id: number, ...rest: Rest) => {
      work(id, ...rest).catch((error: unknown) => refuse(sftp, id, error));
    };

  sftp.on(
    'OPEN',
    answering(async (id, path: string, flags: number) => {
      keep(id, { file: await open(locate(path), toNodeFlags(flags)) });
    }),
  );
  sftp.on(
    'READ',
    answering(async (id, handle: Buffer, offset: number, length: number) => {
      const buffer = Buffer.alloc(Math.min(length, 256 * 1024));
      const { bytesRead } = await fileOf(handle).read(buffer, 0, buffer.length, offset);
      if (bytesRead === 0) throw new Refusal(STATUS_CODE.EOF);
      sftp.data(id, buffer.subarray(0, bytesRead));
    }),
  );
  sftp.on(
    'WRITE',
    answering(async (id, handle: Buffer, offset: number, bytes: Buffer) => {
      const file = fileOf(handle);
      for (let at = 0; at < bytes.length; ) {
        at += (await file.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
      }
      ok(id);
    }),
  );
  sftp.on(
    'CLOSE',
    answering(async (id, handle: Buffer) => {
      const found = find(handle);
      opened.delete(handle.readUInt32BE());
      if ('file' in found) await found.file.close();
      ok(id);
    }),
  );
  sftp.on(
    'FSTAT',
    answering(async (id, handle: Buffer) => {
      sftp.attrs(id, toAttributes(await fileOf(handle).stat()));
    }),
  );
  sftp.on(
    'STAT',
    answering(async (id, path: string) => {
      sftp.attrs(id, toAttributes(await stat(locate(path))));
    }),
  );
  sftp.on(
    'LSTAT',
    answering(async (id, path: string) => {
      sftp.attrs(id, toAttributes(await lstat(locate(path))));
    }),
  );
  sftp.on('SETSTAT', ok);
  sftp.on('FSETSTAT', ok);
  sftp.on('REALPATH', (id: number, path: string) => {
    const filename = posix.resolve('/', path);
    sftp.name(id, [{ filename, longname: filename, attrs: NO_ATTRIBUTES }]);
  });
  sftp.on(
    'OPENDIR',
    answering(async (id, path: string) => {
      const folder = locate(path);
      const names = await readdir(folder);
      const entries = await Promise.all(names.map((name) => entryOf(folder, name)));
      keep(id, { entries: entries.filter((entry) => entry !== undefined) });
    }),
  );
  sftp.on(
    'READDIR',
    answering(async (id, handle: Buffer) => {
      const found = find(handle);
      if (!('entries' in found) || found.entries.length === 0) throw new Refusal(STATUS_CODE.EOF);
      sftp.name(id, found.entries.splice(0, 100));
    }),
  );
  sftp.on(
    'MKDIR',
    answering(async (id, path: string) => {
      await mkdir(locate(path));
      ok(id);
    }),
  );
  sftp.on(
    'RMDIR',
    answering(async (id, path: string) => {
      await rmdir(locate(path));
      ok(id);
    }),
  );
  sftp.on(
    'REMOVE',
    answering(async (id, path: string) => {
      await rm(locate(path));
      ok(id);
    }),
  );
  sftp.on(
    'RENAME',
    answering(async (id, from: string, to: string) => {
      if (await lstat(locate(to)).catch(() => undefined)) throw new Refusal(STATUS_CODE.FAILURE);
      await rename(locate(from), locate(to));
      ok(id);
    }),
  );
  sftp.on('close', () => {
    for (const one of opened.values()) if ('file' in one) one.file.close().catch(() => {});
    opened.clear();
  });
}

function refuse(sftp: SFTPWrapper, id: number, error: unknown): void {
  if (error instanceof Refusal) {
    sftp.status(id, error.status);
    return;
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
  else if (code === 'EACCES' || code === 'EPERM') sftp.status(id, STATUS_CODE.PERMISSION_DENIED);
  else if (code === 'ENAMETOOLONG') sftp.status(id, STATUS_CODE.BAD_MESSAGE);
  else if (code === 'ENOSPC') sftp.status(id, STATUS_CODE.FAILURE, 'No space left on device');
  else sftp.status(id, STATUS_CODE.FAILURE);
}

function toNodeFlags(flags: number): number {
  const has = (flag: number) => (flags & flag) !== 0;
  const writes = has(OPEN_MODE.WRITE);
  const access = writes && has(OPEN_MODE.READ) ? constants.O_RDWR : constants.O_WRONLY;
  return (
    (writes ? access : constants.O_RDONLY) |
    (has(OPEN_MODE.APPEND) ? constants.O_APPEND : 0) |
    (has(OPEN_MODE.CREAT) ? constants.O_CREAT : 0) |
    (has(OPEN_MODE.TRUNC) ? constants.O_TRUNC : 0) |
    (has(OPEN_MODE.EXCL) ? constants.O_EXCL : 0)
  );
}

const NO_ATTRIBUTES: Attributes = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };

function toAttributes({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes {
  const seconds = (ms: number) => Math.floor(ms / 1000);
  return { mode, uid, gid, size, atime: seconds(atimeMs), mtime: seconds(mtimeMs) };
}

/** Undefined for what was removed since its folder was read. */
async function entryOf(folder: string, filename: string): Promise<FileEntry | undefined> {
  const found = await lstat(join(folder, filename)).catch(() => undefined);
  return found && { filename, longname: filename, attrs: toAttributes(found) };
}
