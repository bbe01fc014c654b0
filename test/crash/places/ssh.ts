import { chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { filesBelow } from '../../contract/ssh-subject.ts';
import { readBySftp } from '../../end-to-end/clients.ts';
import { startFaultProxy } from '../../servers/fault-proxy.ts';
import { startOpenSsh } from '../../servers/openssh.ts';
import { type SftpRequest, startSftpTap } from '../../servers/sftp-tap.ts';
import { ARCHIVE_BYTES } from '../archive.ts';
import { type CrashPlace, partAt, type Watch } from './place.ts';

/** OpenSSH, seen through between its sshd and its sftp-server. */
export async function startSshPlace(): Promise<CrashPlace> {
  const tap = await startSftpTap();
  const server = await startOpenSsh({ sftpCommand: tap.command });
  await tap.serve(server.home);
  const watches = new Map<string, Watch>();
  tap.react((request) => {
    const step = nameOf(request);
    const [folder = ''] = relative(server.home, request.path).split('/');
    return step === undefined ? undefined : watches.get(folder)?.(step);
  });
  const { host, port } = server;

  return {
    name: 'ssh',
    type: 'ssh',
    server: 'OpenSSH',
    client: 'sftp',
    bytesAtOnce: 16 * 1024 ** 2,
    hopBytes: 24 * 1024 ** 2,
    async open(folder, watch) {
      watches.set(folder, watch);
      const wire = await startFaultProxy({ to: { host, port } });
      const at = (path: string) => join(server.home, folder, path);
      return {
        wire,
        settings: {
          SSH_HOST_NAME: host,
          SSH_PORT: wire.port,
          SSH_USER: server.user,
          SSH_PASSWORD: server.password,
          SSH_HOST_KEY: server.fingerprint,
          SSH_REMOTE_PATH: folder,
        },
        async put(path, bytes) {
          const { uid, gid } = await stat(server.home);
          await mkdir(dirname(at(path)), { recursive: true });
          await writeFile(at(path), bytes);
          await chownTree(server.home, join(folder, path), uid, gid);
        },
        sizeOf: (path) => sizeOnDisk(at(path)),
        read: (path) => readBySftp(server, `${folder}/${path}`),
        async contents() {
          return (await filesBelow(at(''))).map((path) => relative(at(''), path)).sort();
        },
        async close() {
          watches.delete(folder);
          await wire.stop();
        },
      };
    },
    halt: server.stop,
    start: server.start,
    async stop() {
      await server.remove();
      await tap.stop();
    },
  };
}

async function chownTree(root: string, path: string, uid: number, gid: number): Promise<void> {
  for (let each = path; each !== '.'; each = dirname(each)) await chown(join(root, each), uid, gid);
}

/** Undefined where there is no such file. */
export async function sizeOnDisk(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

function nameOf({ kind, offset, length }: SftpRequest): string | undefined {
  switch (kind) {
    case 'make':
      return 'temporary file made';
    case 'open':
      return 'temporary file opened again';
    case 'write':
      return isEndOfPart(offset + length) ? partAt(offset) : undefined;
    case 'set':
      return 'times set';
    case 'sync':
      return 'sync';
    case 'close':
      return 'closed';
    case 'mkdir':
      return 'folder made';
    case 'remove':
      return 'removed';
    case 'rename':
      return 'publish';
  }
}

/** A part goes in many small writes; its last one stands for it. */
function isEndOfPart(end: number): boolean {
  return end % (8 * 1024 ** 2) === 0 || end === ARCHIVE_BYTES;
}
