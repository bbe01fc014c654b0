import { createHash } from 'node:crypto';
import { DESTINATION_NAME, USER_ID } from './user.ts';

/**
 * The form of a sealed secret, as base64url without padding, in bytes:
 *
 *     1 version | 16 what it is for | 2 length of the key | the key, encrypted | 12 nonce | text | 16 tag
 *
 * The text is encrypted by AES-256-GCM under a key that only the key service can decrypt. Everything
 * before the nonce, and in full what it is for, is authenticated with it.
 */
const VERSION = 1;
const PURPOSE_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_AT = 1 + PURPOSE_BYTES + 2;

/** One destination of one user. */
export interface Place {
  readonly userId: string;
  readonly destination: string;
}

export interface Envelope {
  /** Authenticated, not secret. */
  readonly header: Buffer;
  /** The data key, encrypted. */
  readonly key: Buffer;
  readonly nonce: Buffer;
  readonly text: Buffer;
  readonly tag: Buffer;
}

/** What stands before the nonce. */
export function headerFor(place: Place, setting: string, key: Uint8Array): Buffer {
  const header = Buffer.alloc(KEY_AT);
  header.writeUInt8(VERSION, 0);
  purposeOf(place, setting).copy(header, 1);
  header.writeUInt16BE(key.length, KEY_AT - 2);
  return Buffer.concat([header, key]);
}

export function writeEnvelope({ header, nonce, text, tag }: Omit<Envelope, 'key'>): string {
  return Buffer.concat([header, nonce, text, tag]).toString('base64url');
}

/** Undefined for anything that `writeEnvelope` did not make. */
export function readEnvelope(sealed: string): Envelope | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  // Buffer skips what is not base64url.
  if (bytes.length < KEY_AT || bytes.toString('base64url') !== sealed) return undefined;
  const nonceAt = KEY_AT + bytes.readUInt16BE(KEY_AT - 2);
  const textAt = nonceAt + NONCE_BYTES;
  const tagAt = bytes.length - TAG_BYTES;
  if (bytes.readUInt8(0) !== VERSION || nonceAt === KEY_AT || tagAt <= textAt) return undefined;
  return {
    header: bytes.subarray(0, nonceAt),
    key: bytes.subarray(KEY_AT, nonceAt),
    nonce: bytes.subarray(nonceAt, textAt),
    text: bytes.subarray(textAt, tagAt),
    tag: bytes.subarray(tagAt),
  };
}

/** Whether an envelope says that it is for this setting of this place; opening it proves that. */
export function isSealedFor({ header }: Envelope, place: Place, setting: string): boolean {
  return header.subarray(1, 1 + PURPOSE_BYTES).equals(purposeOf(place, setting));
}

/** What is authenticated beside the header: what the secret is for, in full. */
export function purposeText({ userId, destination }: Place, setting: string): string {
  return JSON.stringify(['ferry', 'setting', VERSION, userId, destination, setting]);
}

/** What the key service is told of a data key, and wants to be told again to open it. */
export function encryptionContext({ userId, destination }: Place): Record<string, string> {
  return {
    app: 'ferry',
    purpose: 'setting',
    userId: USER_ID.test(userId) ? userId : digestOf(userId),
    destination: DESTINATION_NAME.test(destination) ? destination : digestOf(destination),
  };
}

function purposeOf(place: Place, setting: string): Buffer {
  const whole = createHash('sha256').update(purposeText(place, setting)).digest();
  return whole.subarray(0, PURPOSE_BYTES);
}

/** In place of a name that nobody can have, which may be longer than a context can be. */
function digestOf(name: string): string {
  return `#${createHash('sha256').update(name).digest('hex')}`;
}
