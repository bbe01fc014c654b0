import { FerryError } from '../../../functions/core/errors.ts';
import type { Destination } from '../../../functions/destinations/contract.ts';
import type { Line } from './line.ts';
import type { Shelf } from './server.ts';

/** What a job asks of a destination beside uploads, which every kind of server answers alike. */
export function besideUploads(
  shelf: Shelf,
  line: Line,
): Pick<Destination, 'check' | 'stat' | 'list' | 'read' | 'remove' | 'close'> {
  return {
    async *check() {
      yield { step: 'authentication', ms: 0 };
    },
    async stat(path, signal) {
      const file = await line.ask(`stat ${path}`, () => shelf.files.get(path), { signal });
      return file && { path, size: file.bytes.length, modifiedAt: new Date(file.modified * 1000) };
    },
    async *list(prefix) {
      for (const [path, { bytes, modified }] of shelf.files) {
        if (prefix !== '' && !path.startsWith(`${prefix}/`)) continue;
        yield { path, size: bytes.length, modifiedAt: new Date(modified * 1000) };
      }
    },
    async *read(path, signal, range) {
      const read = () => {
        const bytes = shelf.files.get(path)?.bytes;
        if (bytes) return bytes.subarray(range?.from ?? 0, range?.to ?? bytes.length);
        const how = { retry: 'never', scope: 'archive' } as const;
        throw new FerryError('not-found', `There is no file ${path}.`, how);
      };
      yield await line.ask(`read ${path}`, read, { signal });
    },
    async remove(path, signal) {
      await line.ask(`remove ${path}`, () => shelf.remove(path), { signal });
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
