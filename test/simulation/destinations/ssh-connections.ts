import type { Digest, Proof } from '../../../functions/core/receipt.ts';
import type { RemoteFile } from '../../../functions/destinations/contract.ts';
import { type Line, unreachable } from './line.ts';
import { sha256Of } from './server.ts';

/** One connection of a process; what is open over it is gone with it. */
export interface Connection {
  /** How often the server had been started when it was made. */
  readonly boot: number;
  isBroken: boolean;
}

/** The connections of one process to an SSH server. */
export interface Connections {
  /** One that works, made anew where the last was lost. */
  current(): Connection;
  /** A request over a connection, which is lost with the first answer that does not come. */
  ask<T>(
    connection: Connection,
    what: string,
    effect: () => T,
    how?: Parameters<Line['ask']>[2],
  ): Promise<T>;
}

/** @param boots how often the server has been started */
export function openConnections(line: Line, boots: () => number): Connections {
  const isLost = ({ boot, isBroken }: Connection) => isBroken || boot !== boots();
  let current: Connection = { boot: boots(), isBroken: false };
  return {
    current() {
      if (isLost(current)) current = { boot: boots(), isBroken: false };
      return current;
    },
    async ask(connection, what, effect, how = {}) {
      if (isLost(connection)) throw unreachable();
      const overIt = () => {
        if (isLost(connection)) throw unreachable();
        return effect();
      };
      try {
        return await line.ask(what, overIt, how);
      } catch (thrown) {
        if (thrown instanceof Error && 'code' in thrown && thrown.code === 'unreachable') {
          connection.isBroken = true;
        }
        throw thrown;
      }
    },
  };
}

interface Proving {
  readonly canHash: boolean;
  readonly file: RemoteFile;
  readonly digest: Digest;
  readonly signal: AbortSignal;
  /** What the server has at the place that is looked at. */
  look(): Buffer | undefined;
}

/** What the server says of a file; undefined where its hash is another one. */
export async function prove(
  connections: Connections,
  connection: Connection,
  { canHash, file: { path, size }, digest, signal, look }: Proving,
): Promise<Proof | undefined> {
  const proof = { remotePath: path, size };
  if (!canHash) return { verified: 'size', how: 'file size on the server', ...proof };
  const hash = () => look() && sha256Of(look() ?? '');
  const sum = await connections.ask(connection, `sha256sum ${path}`, hash, { signal });
  if (sum !== digest.sha256) return undefined;
  return { verified: 'checksum', how: 'sha256sum on the server', ...proof, checksum: sum };
}
