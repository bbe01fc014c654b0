import type { Destination } from '../../../functions/destinations/contract.ts';
import type { Shelf } from './server.ts';

/** What no job asks of a destination, as far as any kind of server can answer it. */
export function besideUploads(
  shelf: Shelf,
): Pick<Destination, 'check' | 'stat' | 'list' | 'read' | 'remove' | 'close'> {
  return {
    async *check() {
      yield { step: 'authentication', ms: 0 };
    },
    async stat(path) {
      const file = shelf.files.get(path);
      return file && { path, size: file.bytes.length, modifiedAt: new Date(file.modified * 1000) };
    },
    async *list(prefix) {
      for (const [path, { bytes, modified }] of shelf.files) {
        if (prefix !== '' && !path.startsWith(`${prefix}/`)) continue;
        yield { path, size: bytes.length, modifiedAt: new Date(modified * 1000) };
      }
    },
    async *read(path, _signal, range) {
      const bytes = shelf.files.get(path)?.bytes ?? Buffer.alloc(0);
      yield bytes.subarray(range?.from ?? 0, range?.to ?? bytes.length);
    },
    async remove(path) {
      shelf.remove(path);
    },
    async close() {},
  };
}

/** Leading parts of which nothing is missing. */
export function leading(parts: { has(number: number): boolean }): number {
  let count = 0;
  while (parts.has(count)) count += 1;
  return count;
}
