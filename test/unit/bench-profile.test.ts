import { expect, it } from 'vitest';
import { sumUp, v8Profile } from '../../bench/profile.ts';

it('a profile is summed up by what ran at each moment, and for whom', () => {
  const node = (id: number, functionName: string, url = '', children: number[] = []) => ({
    ...{ id, callFrame: { functionName, url }, children },
  });
  const profile = v8Profile.parse({
    nodes: [
      node(1, '(root)', '', [2, 3, 4]),
      node(2, '(idle)'),
      node(3, '(garbage collector)'),
      node(4, 'send', 'file:///bundle.mjs', [5, 7, 9]),
      node(5, 'update', 'node:internal/crypto/hash', [6]),
      node(6, 'update'),
      node(7, 'update', 'node:internal/crypto/cipher', [8]),
      node(8, 'update'),
      node(9, 'handleWriteReq', 'node:internal/stream_base_commons', [10]),
      node(10, 'writeBuffer'),
    ],
    samples: [2, 3, 4, 5, 6, 8, 9, 10, 10],
    timeDeltas: [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 1000],
  });
  expect(sumUp(profile)).toEqual({
    ...{ idle: 1, garbage: 2, bundle: 4, node: 72, hashing: 16, encryption: 32, sockets: 129 },
  });
});
