import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { drained } from './drained.ts';

/** One request of SFTP that changes something (draft-ietf-secsh-filexfer-02, section 6). */
export interface SftpRequest {
  readonly kind:
    | 'make'
    | 'open'
    | 'close'
    | 'write'
    | 'set'
    | 'remove'
    | 'mkdir'
    | 'rename'
    | 'sync';
  /** The file's path; of a rename, the old one. */
  readonly path: string;
  /** Of a write: bytes from the start of the file, and of the write. */
  readonly offset: number;
  readonly length: number;
}

/**
 * What happens to one request; undefined passes it on.
 * - `lose-request`: the connection breaks, and the server is not asked.
 * - a function: called when the server has answered; `lose-answer` breaks the connection then.
 */
export type SftpReaction = 'lose-request' | (() => Promise<'lose-answer' | undefined>) | undefined;

export interface SftpTap {
  /** The command by which sshd reaches it. */
  readonly command: string;
  /** From now on it serves the files of whom this folder belongs to. */
  serve(home: string): Promise<void>;
  /** Replaces what happens to requests from now on. */
  react(reaction: (request: SftpRequest) => SftpReaction | Promise<SftpReaction>): void;
  stop(): Promise<void>;
}

const SERVER = '/usr/lib/openssh/sftp-server';
const TYPE = { open: 3, close: 4, write: 6, fsetstat: 10, setstat: 9, remove: 13, mkdir: 14 };
const RENAME = 18;
const EXTENDED = 200;
const HANDLE = 102;
/** Flags of an open: to write, and to make or empty the file. */
const WRITES = 0x02;
const MAKES = 0x08 | 0x10;

/**
 * Stands between OpenSSH's sshd and its sftp-server, where SFTP is in the clear: each request can be
 * seen, and stopped before or after its effect.
 */
export async function startSftpTap(): Promise<SftpTap> {
  let react: (request: SftpRequest) => SftpReaction | Promise<SftpReaction> = () => undefined;
  let owner: { readonly uid: number; readonly gid: number; readonly home: string } | undefined;
  const servers = new Set<ChildProcess>();

  const listener = createServer({ noDelay: true }, (socket) => {
    if (!owner) return void socket.destroy();
    const { home, ...ids } = owner;
    const server = spawn(SERVER, [], { ...ids, cwd: home, stdio: ['pipe', 'pipe', 'ignore'] });
    servers.add(server);
    server.on('exit', () => {
      servers.delete(server);
      socket.destroy();
    });
    socket.on('error', () => {}).on('close', () => server.kill('SIGKILL'));
    server.stdin.on('error', () => {});
    relay(socket, server.stdin, server.stdout, (request) => react(request));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the tap has no port');
  // sshd takes the quotes out of a command, so what has some stands in a file.
  const folder = await mkdtemp(join(tmpdir(), 'ferry-tap-'));
  await chmod(folder, 0o755);
  const script = join(folder, 'sftp');
  // One `cat` ends with the server, the other with the client; the session ends with either.
  const lines = [
    `exec 3<>/dev/tcp/127.0.0.1/${address.port} 4<&0`,
    'cat <&3 & down=$!',
    'cat <&4 >&3 & up=$!',
    'wait -n; kill $down $up',
  ];
  await writeFile(script, `${lines.join('\n')}\n`, { mode: 0o644 });
  return {
    command: `/bin/bash ${script}`,
    async serve(home) {
      const { uid, gid } = await stat(home);
      owner = { uid, gid, home };
    },
    react(reaction) {
      react = reaction;
    },
    async stop() {
      const closed = once(listener, 'close');
      listener.close();
      for (const server of servers) server.kill('SIGKILL');
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Passes whole packets on, in order; what a request waits for, those after it wait for too. */
function relay(
  client: Socket,
  toServer: Writable,
  fromServer: Readable,
  react: (request: SftpRequest) => SftpReaction | Promise<SftpReaction>,
): void {
  const paths = new Map<string, string>();
  const opening = new Map<number, string>();
  const answering = new Map<number, () => Promise<'lose-answer' | undefined>>();

  void forEachPacket(client, async (packet) => {
    const request = readRequest(packet, paths);
    const id = packet.length >= 9 ? packet.readUInt32BE(5) : 0;
    if (request?.kind === 'open' || request?.kind === 'make') opening.set(id, request.path);
    const reaction = request && (await react(request));
    if (reaction === 'lose-request') return void client.destroy();
    if (reaction) answering.set(id, reaction);
    await write(toServer, packet);
  });
  void forEachPacket(fromServer, async (packet) => {
    const id = packet.length >= 9 ? packet.readUInt32BE(5) : 0;
    const path = opening.get(id);
    opening.delete(id);
    if (path !== undefined && packet[4] === HANDLE) paths.set(text(packet, 9).value, path);
    const answered = answering.get(id);
    answering.delete(id);
    if ((await answered?.()) === 'lose-answer') return void client.destroy();
    await write(client, packet);
  });
}

async function write(to: Writable, bytes: Buffer): Promise<void> {
  if (!to.destroyed && !to.write(bytes)) await drained(to);
}

async function forEachPacket(from: Readable, take: (packet: Buffer) => Promise<void>) {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of untilBroken(from)) {
    let bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
      const length = 4 + bytes.readUInt32BE(0);
      await take(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    pending = bytes;
  }
}

async function* untilBroken(from: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of from) yield Buffer.from(chunk);
  } catch {
    // A connection that breaks ends what it carries.
  }
}

/** A string of the protocol, one letter for a byte, and where it ends. */
function text(packet: Buffer, at: number): { readonly value: string; readonly end: number } {
  const end = at + 4 + packet.readUInt32BE(at);
  return { value: packet.toString('latin1', at + 4, end), end };
}

/** Undefined for what changes nothing. */
function readRequest(packet: Buffer, paths: Map<string, string>): SftpRequest | undefined {
  const type = packet[4];
  if (packet.length < 13) return undefined;
  const first = text(packet, 9);
  const ofName = (kind: SftpRequest['kind'], path = first.value): SftpRequest => ({
    kind,
    path: Buffer.from(path, 'latin1').toString(),
    offset: 0,
    length: 0,
  });
  const ofHandle = (kind: SftpRequest['kind'], handle = first.value) => {
    const path = paths.get(handle);
    return path === undefined ? undefined : { ...ofName(kind), path };
  };
  switch (type) {
    case TYPE.open: {
      const flags = packet.readUInt32BE(first.end);
      if (!(flags & WRITES)) return undefined;
      return ofName(flags & MAKES ? 'make' : 'open');
    }
    case TYPE.close: {
      const request = ofHandle('close');
      paths.delete(first.value);
      return request;
    }
    case TYPE.write: {
      const request = ofHandle('write');
      const offset = Number(packet.readBigUInt64BE(first.end));
      return request && { ...request, offset, length: packet.readUInt32BE(first.end + 8) };
    }
    case TYPE.fsetstat:
      return ofHandle('set');
    case TYPE.setstat:
      return ofName('set');
    case TYPE.remove:
      return ofName('remove');
    case TYPE.mkdir:
      return ofName('mkdir');
    case RENAME:
      return ofName('rename');
    case EXTENDED: {
      const argument = () => text(packet, first.end).value;
      if (first.value === 'posix-rename@openssh.com') return ofName('rename', argument());
      return first.value === 'fsync@openssh.com' ? ofHandle('sync', argument()) : undefined;
    }
    default:
      return undefined;
  }
}
