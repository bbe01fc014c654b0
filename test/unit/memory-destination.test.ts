import { FerryError } from '../../functions/core/errors.ts';
import { MiB } from '../../functions/core/parts.ts';
import { conformance } from '../contract/conformance.ts';
import { openMemoryDestination, openMemoryServer } from '../contract/memory-destination.ts';

conformance('the destination in memory', async () => {
  const server = openMemoryServer();
  const failing = (error: FerryError) => async () =>
    openMemoryDestination({
      ...server,
      before: async (step) => {
        if (step === 'begin') throw error;
      },
    });
  const busy = { retry: 'later', retryAfterMs: 7000 } as const;
  return {
    open: async () => openMemoryDestination(server),
    openRefused: failing(new FerryError('auth-refused', 'Not you.', { retry: 'never' })),
    openSilent: async () =>
      openMemoryDestination({ ...server, before: () => new Promise(() => {}) }),
    openCorrupting: async () =>
      openMemoryDestination({
        ...server,
        before: async (step, part) => {
          if (step === 'write' && part && part.offset >= MiB) part.bytes[0] = ~(part.bytes[0] ?? 0);
        },
      }),
    openFull: failing(new FerryError('no-space', 'The memory is full.', { retry: 'never' })),
    openBusy: async () => failing(new FerryError('throttled', 'Busy.', busy))(),
    readDirectly: async (path) => server.files.get(path),
    listDirectly: async () => [...server.files.keys(), ...server.unfinished.keys()],
    loseUnfinished: async () => server.unfinished.clear(),
    shortenUnfinished: async () => {
      for (const parts of server.unfinished.values()) parts.delete(1);
    },
    secrets: [],
    listPage: 10,
    stop: async () => {},
  };
});
