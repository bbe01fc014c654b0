import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { FerryError } from '../core/errors.ts';
import {
  encryptionContext,
  headerFor,
  isSealedFor,
  type Place,
  purposeText,
  readEnvelope,
  writeEnvelope,
} from '../core/sealed.ts';
import { Secret } from '../core/secret.ts';
import { keyError } from './errors.ts';
import { pad, unpad } from './padding.ts';

export interface Sealer {
  /** What stands in the row in place of the text; see `core/sealed.ts` for its form. */
  seal(place: Place, setting: string, text: string): Promise<string>;
}

export interface Unsealer {
  /**
   * @throws FerryError `setting-invalid` where it was sealed for something else or was changed,
   *   `secret-unreadable` where the key cannot be used now
   */
  unseal(place: Place, setting: string, sealed: string): Promise<Secret>;
}

interface DataKey {
  readonly plain: Uint8Array;
  readonly encrypted: Uint8Array;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;

/**
 * Seals secrets by KMS envelope encryption. Secrets of one destination that are sealed together share
 * a data key, which is asked for once.
 * @param keyId of the key that wraps data keys: id, ARN or alias
 */
export function openSealer(kms: KMSClient, keyId: string): Sealer {
  const dataKey = shareWhileAsked(async (place: Place): Promise<DataKey> => {
    const command = new GenerateDataKeyCommand({
      KeyId: keyId,
      KeySpec: 'AES_256',
      EncryptionContext: encryptionContext(place),
    });
    const { Plaintext, CiphertextBlob } = await kms.send(command).catch(rethrow);
    if (!Plaintext || !CiphertextBlob) throw keyError(new Error('KMS gave no data key.'));
    return { plain: Plaintext, encrypted: CiphertextBlob };
  });
  return {
    async seal(place, setting, text) {
      const { plain, encrypted } = await dataKey(idOf(place), place);
      const header = headerFor(place, setting, encrypted);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, plain, nonce).setAAD(aad(header, place, setting));
      const sealed = Buffer.concat([cipher.update(pad(text)), cipher.final()]);
      return writeEnvelope({ header, nonce, text: sealed, tag: cipher.getAuthTag() });
    },
  };
}

/** Opens what a sealer sealed. */
export function openUnsealer(kms: KMSClient): Unsealer {
  const dataKey = shareWhileAsked(async (asked: { place: Place; key: Buffer }) => {
    const command = new DecryptCommand({
      CiphertextBlob: asked.key,
      EncryptionContext: encryptionContext(asked.place),
    });
    const { Plaintext } = await kms.send(command).catch(rethrow);
    if (!Plaintext) throw keyError(new Error('KMS gave no data key.'));
    return Plaintext;
  });
  return {
    async unseal(place, setting, sealed) {
      const envelope = readEnvelope(sealed);
      if (!envelope) throw notSealedHere(setting, 'is not a sealed value as Ferry writes them');
      if (!isSealedFor(envelope, place, setting)) throw sealedForAnother(setting);
      const { header, key, nonce, text, tag } = envelope;
      const asked = dataKey(`${idOf(place)}${key.toString('base64')}`, { place, key });
      const plain = await asked.catch((error: unknown) => {
        throw isMisplaced(error) ? sealedForAnother(setting, error) : error;
      });
      try {
        const decipher = createDecipheriv(CIPHER, plain, nonce, { authTagLength: tag.length });
        decipher.setAAD(aad(header, place, setting)).setAuthTag(tag);
        return new Secret(unpad(Buffer.concat([decipher.update(text), decipher.final()])));
      } catch (error) {
        throw notSealedHere(setting, 'was changed after it had been sealed', error);
      }
    },
  };
}

function idOf({ userId, destination }: Place): string {
  return JSON.stringify([userId, destination]);
}

function aad(header: Buffer, place: Place, setting: string): Buffer {
  return Buffer.concat([header, Buffer.from(purposeText(place, setting))]);
}

/** Asks once for what several want at the same time; nothing is kept afterwards. */
function shareWhileAsked<Asked, Answer>(ask: (asked: Asked) => Promise<Answer>) {
  const pending = new Map<string, Promise<Answer>>();
  return (id: string, asked: Asked): Promise<Answer> => {
    const shared = pending.get(id);
    if (shared) return shared;
    const answer = ask(asked).finally(() => pending.delete(id));
    pending.set(id, answer);
    return answer;
  };
}

function rethrow(error: unknown): never {
  throw keyError(error);
}

/** What KMS answers where the encryption context or the key is another, or the data key was changed. */
function isMisplaced(error: unknown): boolean {
  return error instanceof FerryError && error.code === 'setting-invalid';
}

function sealedForAnother(setting: string, cause?: unknown): FerryError {
  return notSealedHere(setting, 'was sealed for another user, destination or setting', cause);
}

function notSealedHere(setting: string, what: string, cause?: unknown): FerryError {
  return new FerryError('setting-invalid', `${setting} ${what}. Enter the secret again.`, {
    retry: 'never',
    cause,
  });
}
