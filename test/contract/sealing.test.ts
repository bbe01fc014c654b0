import { KMSClient } from '@aws-sdk/client-kms';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readEnvelope } from '../../functions/core/sealed.ts';
import {
  openSealer,
  openUnsealer,
  type Sealer,
  type Unsealer,
} from '../../functions/secrets/sealing.ts';
import { type KeyService, startKeyService } from '../../local/key-service.ts';
import { CREDENTIALS, REGION } from '../../local/local-names.ts';
import { failure } from './failure.ts';

const PLACE = { userId: 'ada', destination: 'nas' };
const NAME = 'SSH_PASSWORD';
const TEXT = 'tr0ub4dor & 3';
const KEYS = 'arn:aws:kms:us-east-1:000000000000:key/';

let keys: KeyService;
let kms: KMSClient;
let keyId: string;
let sealer: Sealer;
let unsealer: Unsealer;

beforeAll(async () => {
  keys = await startKeyService();
  kms = new KMSClient({ endpoint: keys.url, region: REGION, credentials: CREDENTIALS });
});
afterAll(async () => {
  kms.destroy();
  await keys[Symbol.asyncDispose]();
});
beforeEach(() => {
  keyId = `${KEYS}${keys.calls.length}`;
  keys.add(keyId);
  sealer = openSealer(kms, keyId);
  unsealer = openUnsealer(kms);
});

const refused = { code: 'setting-invalid', retry: 'never' };

describe('a sealed secret', () => {
  it('is opened again, whatever its text is', async () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const sealed = await sealer.seal(PLACE, NAME, text);
        expect(sealed).toMatch(/^[\w-]+$/);
        expect((await unsealer.unseal(PLACE, NAME, sealed)).reveal()).toBe(text.toWellFormed());
      }),
      { numRuns: 30 },
    );
  });

  it('tells neither its text nor how long that is, and is another one each time', async () => {
    const sealed = await sealer.seal(PLACE, NAME, TEXT);
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain(TEXT);
    const others = await Promise.all(['', TEXT].map((text) => sealer.seal(PLACE, NAME, text)));
    expect(new Set([sealed, ...others].map((one) => one.length)).size).toBe(1);
    expect(others).not.toContain(sealed);
  });

  it.each([
    ['another user', { ...PLACE, userId: 'bob' }, NAME],
    ['another destination', { ...PLACE, destination: 'attic' }, NAME],
    ['another setting', PLACE, 'SSH_IDENTITY_PASSPHRASE'],
  ])('is refused for %s, in words that say what to do', async (_who, place, name) => {
    const sealed = await sealer.seal(PLACE, NAME, TEXT);
    const error = await failure(unsealer.unseal(place, name, sealed));
    expect(error).toMatchObject(refused);
    expect(error.message).toBe(
      `${name} was sealed for another user, destination or setting. Enter the secret again.`,
    );
  });

  it('is refused for another user also where its own note of whom it is for was forged', async () => {
    const own = Buffer.from(await sealer.seal(PLACE, NAME, TEXT), 'base64url');
    const bob = { ...PLACE, userId: 'bob' };
    const theirs = Buffer.from(await sealer.seal(bob, NAME, 'x'), 'base64url');
    theirs.copy(own, 1, 1, 17);
    const error = await failure(unsealer.unseal(bob, NAME, own.toString('base64url')));
    expect(error).toMatchObject(refused);
    expect(error.message).toContain('was sealed for another user');
  });

  it('is refused when any bit of it was flipped', async () => {
    const sealed = Buffer.from(await sealer.seal(PLACE, NAME, TEXT), 'base64url');
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const error = await failure(unsealer.unseal(PLACE, NAME, flipped.toString('base64url')));
      expect(error, `bit ${bit}`).toMatchObject(refused);
    }
  });

  it.each([
    ['no text', ''],
    ['any text', TEXT],
    ['base64 of nothing in particular', Buffer.alloc(300).toString('base64url')],
  ])('is not %s', async (_what, sealed) => {
    expect(readEnvelope(sealed)).toBeUndefined();
    const error = await failure(unsealer.unseal(PLACE, NAME, sealed));
    expect(error).toMatchObject(refused);
  });

  it('is not what is left of one, or what has something added', async () => {
    const sealed = await sealer.seal(PLACE, NAME, TEXT);
    for (const other of [sealed.slice(0, 100), sealed.slice(1), `${sealed}AAAA`, `${sealed}=`]) {
      expect(await failure(unsealer.unseal(PLACE, NAME, other))).toMatchObject(refused);
    }
  });

  it('shares its data key with the others that are sealed with it, and with nobody else', async () => {
    const before = keys.calls.length;
    const bob = { ...PLACE, userId: 'bob' };
    const sealed = await Promise.all([
      sealer.seal(PLACE, NAME, TEXT),
      sealer.seal(PLACE, 'SSH_IDENTITY_PASSPHRASE', TEXT),
      sealer.seal(bob, NAME, TEXT),
    ]);
    expect(keys.calls.slice(before)).toEqual(
      [PLACE, bob].map((place) => ({
        operation: 'GenerateDataKey',
        context: { app: 'ferry', purpose: 'setting', ...place },
      })),
    );
    const [one = '', two = ''] = sealed;
    await Promise.all([
      unsealer.unseal(PLACE, NAME, one),
      unsealer.unseal(PLACE, 'SSH_IDENTITY_PASSPHRASE', two),
    ]);
    expect(keys.calls.slice(before + 2).map(({ operation }) => operation)).toEqual(['Decrypt']);
  });

  it('is sealed also for names that nobody can have, however long they are', async () => {
    const place = { userId: 'x'.repeat(2000), destination: 'Ö'.repeat(20_000) };
    const sealed = await sealer.seal(place, NAME, TEXT);
    expect((await unsealer.unseal(place, NAME, sealed)).reveal()).toBe(TEXT);
  });
});

describe('a key that cannot be used', () => {
  it('is the operator to be asked about, and tried again later', async () => {
    const sealed = await sealer.seal(PLACE, NAME, TEXT);
    keys.setEnabled(keyId, false);
    const error = await failure(unsealer.unseal(PLACE, NAME, sealed));
    expect(error).toMatchObject({ code: 'secret-unreadable', retry: 'later' });
    expect(error.message).toContain('Operator: enable the key.');
    expect(await failure(sealer.seal(PLACE, NAME, TEXT))).toMatchObject({ retry: 'later' });
    keys.setEnabled(keyId, true);
    expect((await unsealer.unseal(PLACE, NAME, sealed)).reveal()).toBe(TEXT);
  });

  it('is told apart from one that is not there', async () => {
    const error = await failure(openSealer(kms, `${KEYS}nobody`).seal(PLACE, NAME, TEXT));
    expect(error.message).toContain('SecretsKeyArn');
  });
});
