import { describe, expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { readCheckpoint, toCheckpoint } from '../../functions/destinations/webdav/checkpoint.ts';

const FILE = { path: 'html/a.tar', size: 20 * MiB, transferId: '0123456789abcdef' };
const PLAN = { size: FILE.size, partSize: 8 * MiB, count: 3 };

describe('the checkpoint of a WebDAV upload', () => {
  it.each([
    { by: 'put-range', parts: 0 },
    { by: 'chunks', user: 'ann', parts: 2 },
    { by: 'patch', parts: 3, ours: { modified: 'Tue', etag: '"x"' }, before: null },
    { by: 'whole', parts: 3, ours: { modified: 'Tue' }, before: { etag: '"y"' } },
  ] as const)('gives back through JSON what was put in: $by', (state) => {
    const stored = JSON.parse(JSON.stringify(toCheckpoint(FILE, PLAN, state)));
    expect(readCheckpoint(stored, FILE, PLAN)).toMatchObject(state);
  });

  it('is refused with another file, another plan, or anything unknown in it', () => {
    const checkpoint = toCheckpoint(FILE, PLAN, { by: 'patch', parts: 3 });
    const lost = expect.objectContaining({ code: 'upload-lost', retry: 'now' });
    const read = (...[json, file, plan]: Parameters<typeof readCheckpoint>) =>
      expect(() => readCheckpoint(json, file, plan));
    read(checkpoint, { ...FILE, transferId: 'f'.repeat(16) }, PLAN).toThrow(lost);
    read(checkpoint, { ...FILE, size: 1 }, PLAN).toThrow(lost);
    read(checkpoint, FILE, { ...PLAN, partSize: MiB }).toThrow(lost);
    read(checkpoint, FILE, { ...PLAN, count: 2 }).toThrow(lost);
    read({ ...Object(checkpoint), v: 2 }, FILE, PLAN).toThrow(lost);
    read({ ...Object(checkpoint), more: 1 }, FILE, PLAN).toThrow(lost);
  });
});
