import type { SFTPWrapper } from 'ssh2';
import { abortError, type FerryError } from '../../core/errors.ts';
import { unlessAborted } from '../../core/stopping.ts';
import type { Surroundings } from '../surroundings.ts';
import { dial } from './dial.ts';
import { connectionBroken, explainConnecting, noAnswer, noConnection, statusOf } from './errors.ts';
import { recallHostKey, rememberHostKey } from './first-host-key.ts';
import { handshake, type Passed } from './handshake.ts';
import { type CommandResult, runCommand } from './remote-command.ts';
import { basePath } from './remote-path.ts';
import { writeRequests } from './requests.ts';
import type { SshSettings } from './settings.ts';
import { openWindow, type Window } from './window.ts';

/** How long a server may be silent while we wait for an answer. */
const PATIENCE_MS = 60_000;
/** From the connected socket to SFTP that answers; the SSH client's own limit ends with the login. */
const ESTABLISH_MS = 30_000;
const GOODBYE_MS = 2_000;

/** Sends one request; `answer` gets the server's status, or what was asked for. */
export type Send<T> = (
  sftp: SFTPWrapper,
  answer: (error: Error | null | undefined, value: T) => void,
) => void;

/** One live SSH connection with SFTP. Once lost it stays lost: everything that waits on it fails. */
export interface Connection {
  /** The destination's own folder, absolute. */
  readonly base: string;
  /** Shared by all uploads over this connection. */
  readonly writes: Window;
  readonly isLost: boolean;
  /** Whether the server is OpenSSH. */
  readonly isOpenSsh: boolean;
  /** Where the server was reached. */
  readonly address: string | undefined;
  /** Bytes of one write request. */
  readonly requestBytes: number;
  /** The fastest answer so far, in ms: what a round trip takes. */
  readonly roundTripMs: number;
  /**
   * One SFTP request and its answer. A status other than OK is thrown as ssh2 made it (`statusOf`).
   * @param patienceMs how long the server may be silent meanwhile
   * @throws FerryError when the connection is lost, the server silent or the work called off
   */
  ask<T>(send: Send<T>, signal: AbortSignal, patienceMs?: number): Promise<T>;
  /** Runs a shell command; undefined where the server runs none or it takes longer than `timeoutMs`. */
  run(command: string, timeoutMs: number, signal: AbortSignal): Promise<CommandResult | undefined>;
  close(): Promise<void>;
}

/** What connecting needs of the deployment. */
export type SshSurroundings = Pick<
  Surroundings,
  'egress' | 'recall' | 'remember' | 'trustFirstHostKey'
>;

/**
 * Connects, in stages that `passed` is told of: name lookup, address, TCP connection, host key,
 * authentication, SFTP.
 * @param only the server's address where another of its name would not do
 * @throws FerryError that says which setting to look at
 */
export async function connect(
  settings: SshSettings,
  surroundings: SshSurroundings,
  signal: AbortSignal,
  passed: Passed = () => {},
  only?: string,
): Promise<Connection> {
  try {
    const socket = await dial(settings, surroundings.egress, signal, passed, only);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(noConnection(settings, undefined)), ESTABLISH_MS);
    try {
      const establishing = establish(socket, settings, surroundings, passed);
      return await unlessAborted(establishing, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    throw explainConnecting(error, settings);
  }
}

async function establish(
  socket: Awaited<ReturnType<typeof dial>>,
  settings: SshSettings,
  surroundings: SshSurroundings,
  passed: Passed,
): Promise<Connection> {
  const isFirstTrusted = surroundings.trustFirstHostKey && settings.hostKeys.accepted.length === 0;
  const known = isFirstTrusted ? await recallHostKey(settings, surroundings) : undefined;
  // One command at a time: servers allow few channels (OpenSSH: MaxSessions 10), and one disk is busy.
  const commands = openWindow(1);
  let writes: Window | undefined;
  let roundTripMs = Number.POSITIVE_INFINITY;
  const waiting = new Set<(error: FerryError) => void>();
  let heardAt = performance.now();
  let trouble: unknown;
  let lost: FerryError | undefined;

  const lose = (error: FerryError): FerryError => {
    if (lost) return lost;
    lost = error;
    socket.destroy();
    writes?.close(error);
    commands.close(error);
    for (const fail of [...waiting]) fail(error);
    return error;
  };
  // Before ssh2's own listener, which would answer every waiting request with an error of no use.
  socket.on('close', () => lose(connectionBroken(trouble)));

  const trust = isFirstTrusted ? { known } : undefined;
  const onTrouble = (error: unknown) => {
    trouble ??= error;
  };
  const shaken = await handshake(socket, settings, trust, passed, onTrouble);
  const { ssh, sftp, hostKey, isOpenSsh, end } = shaken;
  sftp.on('error', (error: unknown) => lose(connectionBroken(error)));
  sftp.on('close', () => lose(connectionBroken(trouble)));

  /**
   * Lets what is sent in one go reach the network as one: ssh2 writes each packet in three pieces, two
   * of them a few bytes, and every write would be a system call and a segment of its own.
   */
  const gather = () => {
    socket.cork();
    process.nextTick(() => socket.uncork());
  };

  const request = <T>(send: Send<T>, patienceMs: number) =>
    new Promise<T>((resolve, reject) => {
      if (lost) throw lost;
      const sentAt = performance.now();
      const settle = () => {
        clearTimeout(timer);
        waiting.delete(fail);
      };
      const fail = (error: unknown) => {
        settle();
        reject(error);
      };
      const look = () => {
        const silent = performance.now() - Math.max(sentAt, heardAt);
        if (silent >= patienceMs) lose(noAnswer(Math.round(silent / 1000)));
        else timer = setTimeout(look, patienceMs - silent);
      };
      let timer = setTimeout(look, patienceMs);
      waiting.add(fail);
      gather();
      try {
        send(sftp, (error, value) => {
          heardAt = performance.now();
          roundTripMs = Math.min(roundTripMs, heardAt - sentAt);
          if (error && statusOf(error) === undefined) fail(lose(connectionBroken(error)));
          else if (error) fail(error);
          else {
            settle();
            resolve(value);
          }
        });
      } catch (error) {
        fail(error);
      }
    });

  const ask = async <T>(send: Send<T>, signal: AbortSignal, patienceMs = PATIENCE_MS) => {
    if (signal.aborted) throw abortError(signal);
    return unlessAborted(request(send, patienceMs), signal);
  };

  const home = await request<string>(
    (channel, answer) => channel.realpath('.', answer),
    PATIENCE_MS,
  );
  if (isFirstTrusted) await rememberHostKey(settings, surroundings, hostKey, known);
  passed('SFTP');
  const { atOnce, bytes: requestBytes } = writeRequests(isOpenSsh, roundTripMs);
  writes = openWindow(atOnce);
  return {
    base: basePath(home, settings.remotePath),
    writes,
    isOpenSsh,
    address: socket.remoteAddress,
    requestBytes,
    get roundTripMs() {
      return roundTripMs;
    },
    get isLost() {
      return lost !== undefined;
    },
    ask,
    async run(command, timeoutMs, signal) {
      await commands.enter(signal);
      const running = runCommand(ssh, command, timeoutMs).finally(commands.leave);
      const result = await unlessAborted(running, signal);
      if (lost) throw lost;
      return result;
    },
    async close() {
      const goodbye = new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref());
      if (!lost) await Promise.race([end(), goodbye]).catch(() => undefined);
      lose(connectionBroken(undefined));
    },
  };
}
