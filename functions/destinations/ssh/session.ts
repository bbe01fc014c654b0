import { FerryError } from '../../core/errors.ts';
import { unlessAborted } from '../../core/stopping.ts';
import { type Connection, connect, type SshSurroundings } from './connection.ts';
import type { SshSettings } from './settings.ts';

/** Keeps one connection to the server: made when first needed, and anew after it was lost. */
export interface Session {
  connection(signal: AbortSignal): Promise<Connection>;
  close(): Promise<void>;
}

export function openSession(settings: SshSettings, surroundings: SshSurroundings): Session {
  const closing = new AbortController();
  let current: Promise<Connection> | undefined;

  const usable = async (): Promise<Connection> => {
    const earlier = current;
    const connection = await earlier?.catch(() => undefined);
    if (connection && !connection.isLost) return connection;
    // Whoever comes first after a loss connects for all.
    if (!current || current === earlier) current = connect(settings, surroundings, closing.signal);
    return current;
  };

  return {
    connection: (signal) => unlessAborted(usable(), AbortSignal.any([signal, closing.signal])),
    async close() {
      closing.abort(new FerryError('aborted', 'The destination was closed.', { retry: 'later' }));
      const connection = await current?.catch(() => undefined);
      await connection?.close();
    },
  };
}
