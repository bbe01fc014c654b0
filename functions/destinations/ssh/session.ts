import { FerryError } from '../../core/errors.ts';
import { unlessAborted } from '../../core/stopping.ts';
import { type Companions, openCompanions } from './companions.ts';
import { type Connection, connect, type SshSurroundings } from './connection.ts';
import type { SshSettings } from './settings.ts';

/** Keeps one connection to the server: made when first needed, and anew after it was lost. */
export interface Session {
  connection(signal: AbortSignal): Promise<Connection>;
  /** The further ones to the same server; those of a first one that was lost go with it. */
  companions(first: Connection): Companions;
  close(): Promise<void>;
}

export function openSession(settings: SshSettings, surroundings: SshSurroundings): Session {
  const closing = new AbortController();
  let current: Promise<Connection> | undefined;
  const companions = new Map<Connection, Companions>();

  const dismiss = async (first: Connection) => {
    const leaving = companions.get(first);
    await leaving?.close();
    companions.delete(first);
  };

  const usable = async (): Promise<Connection> => {
    const earlier = current;
    const connection = await earlier?.catch(() => undefined);
    if (connection && !connection.isLost) return connection;
    if (connection) void dismiss(connection);
    // Whoever comes first after a loss connects for all.
    if (!current || current === earlier) current = connect(settings, surroundings, closing.signal);
    return current;
  };

  return {
    connection: (signal) => unlessAborted(usable(), AbortSignal.any([signal, closing.signal])),
    companions(first) {
      const there = companions.get(first);
      if (there) return there;
      const made = openCompanions((signal) =>
        connect(settings, surroundings, signal, undefined, first.address),
      );
      companions.set(first, made);
      if (first.isLost || closing.signal.aborted) void dismiss(first);
      return made;
    },
    async close() {
      closing.abort(new FerryError('aborted', 'The destination was closed.', { retry: 'later' }));
      const connection = await current?.catch(() => undefined);
      await Promise.all([connection?.close(), ...[...companions.keys()].map(dismiss)]);
    },
  };
}
