import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { headerFor, writeEnvelope } from '../../functions/core/sealed.ts';
import { findReadableSecrets } from '../../functions/destinations/registry.ts';
import { acceptUnseen, readRow } from '../../functions/settings/row.ts';
import { putSealings } from '../../functions/settings/row-secrets.ts';
import { findReadable, sealSome } from '../../functions/settings-changed/seal-secrets.ts';

const NAMES = [
  'SSH_PASSWORD',
  'ssh_password',
  'AZURE_STORAGE_PRIMARY_ACCOUNT_KEY',
  'DROPBOX_REFRESH_TOKEN',
];
const OTHERS = ['spec', 'destinations', 'nas', 'settings', 'type', 'status', 'x', 'v', 'schedule'];

const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom('text', 7, true, null, ''),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES, ...OTHERS), tie('tree'), { maxKeys: 4 }),
  ),
}));
/** Rows that are nearly in order, with anything at any place of them. */
const item = fc.record({
  userId: fc.constant('ada'),
  spec: fc.oneof(
    tree,
    fc.record({ v: fc.constant(1), SSH_PASSWORD: tree, destinations: tree }),
    fc.record({
      destinations: fc.record({
        nas: fc.record({ type: fc.constant('ssh'), settings: tree, ssh_password: tree, x: tree }),
        SSH_PASSWORD: tree,
      }),
    }),
  ),
  SSH_PASSWORD: tree,
});

const envelope = (setting: string): string =>
  writeEnvelope({
    header: headerFor({ userId: 'ada', destination: '' }, setting, Buffer.from('key')),
    nonce: Buffer.alloc(12),
    text: Buffer.alloc(64),
    tag: Buffer.alloc(16),
  });

/** Where a name of a secret has something readable; told apart from the code that is tested. */
function readableAt(value: unknown, path: readonly string[] = []): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]: [string, unknown]) => {
    const below = readableAt(each, [...path, name]);
    if (!NAMES.includes(name) || each === null || each === '') return below;
    const isMap = typeof each === 'object' && !Array.isArray(each);
    const isDestination =
      path.join('.') === 'spec.destinations' &&
      isMap &&
      'settings' in each &&
      isRecord(each.settings);
    if (isDestination || (isMap && 'sealed' in each)) return below;
    return [[...path, name].join('.'), ...below];
  });
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

describe('secrets anywhere in a row', () => {
  it('are all sealed, by writes whose places are apart, and then nothing is left to seal', async () => {
    await fc.assert(
      fc.asyncProperty(item, async (written) => {
        let row: unknown = written;
        let read = readRow(written, acceptUnseen, NO_LIMITS);
        const secrets = {
          find: findReadableSecrets,
          seal: async (_place: unknown, setting: string) => envelope(setting),
        };
        for (let writes = 0; ; writes++) {
          const readable = findReadable(secrets, read);
          if (readable.length === 0) break;
          const sealings = await sealSome(secrets, 'ada', readable);
          expect(sealings.length).toBeGreaterThan(0);
          const places = sealings.map(({ path }) => `${JSON.stringify(path).slice(0, -1)},`);
          for (const place of places) {
            expect(places.filter((other) => other.startsWith(place))).toEqual([place]);
          }
          row = putSealings(row, sealings);
          read = read.sealed(sealings);
          expect(writes).toBeLessThan(1000);
        }
        expect(readableAt(row)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
