import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { LOOPBACK_HOST, listenOnLoopback, stopServer } from './loopback.ts';

/**
 * A fake of AWS KMS for this machine: GenerateDataKey and Decrypt under symmetric keys, as far as
 * sealing secrets needs them, with the refusals of the real one. Keys are random and in memory alone;
 * signatures and policies are not looked at.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html, …/API_Decrypt.html
 */
export interface KeyService extends AsyncDisposable {
  readonly url: string;
  /** What was asked, in order: the operation and its encryption context. */
  readonly calls: readonly Call[];
  /** Creates a key. */
  add(arn: string): void;
  /** Switches a key off, or on again. */
  setEnabled(arn: string, isEnabled: boolean): void;
}

export interface Call {
  readonly operation: string;
  readonly context: Readonly<Record<string, string>>;
}

interface KmsKey {
  readonly arn: string;
  readonly material: Buffer;
  isEnabled: boolean;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Of all names and values of an encryption context together, in bytes. */
const LONGEST_CONTEXT = 8192;

const context = z.record(z.string(), z.string()).default({});
const generateRequest = z.object({
  KeyId: z.string(),
  KeySpec: z.enum(['AES_256', 'AES_128']),
  EncryptionContext: context,
});
const decryptRequest = z.object({
  CiphertextBlob: z.base64(),
  KeyId: z.string().optional(),
  EncryptionContext: context,
});

/** A refusal by the name that the SDK makes an error of. */
class Refusal extends Error {
  override readonly name: string;
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export async function startKeyService(): Promise<KeyService> {
  const keys = new Map<string, KmsKey>();
  const calls: Call[] = [];

  /** By ARN, or by the id at its end. */
  const find = (id: string): KmsKey => {
    const found = keys.get(id) ?? [...keys.values()].find(({ arn }) => arn.endsWith(`:key/${id}`));
    if (!found) throw new Refusal('NotFoundException', `Key '${id}' does not exist`);
    if (!found.isEnabled) throw new Refusal('DisabledException', `${found.arn} is disabled.`);
    return found;
  };
  const operations: Readonly<Record<string, (body: unknown) => object>> = {
    GenerateDataKey(body) {
      const asked = parse(generateRequest, body);
      calls.push({ operation: 'GenerateDataKey', context: asked.EncryptionContext });
      const key = find(asked.KeyId);
      const plain = randomBytes(asked.KeySpec === 'AES_256' ? 32 : 16);
      return {
        KeyId: key.arn,
        Plaintext: plain.toString('base64'),
        CiphertextBlob: wrap(key, plain, asked.EncryptionContext).toString('base64'),
      };
    },
    Decrypt(body) {
      const asked = parse(decryptRequest, body);
      calls.push({ operation: 'Decrypt', context: asked.EncryptionContext });
      const blob = Buffer.from(asked.CiphertextBlob, 'base64');
      const arn = blob.toString('utf8', 1, 1 + (blob[0] ?? 0));
      if (!keys.has(arn)) throw new Refusal('InvalidCiphertextException', '');
      const key = find(arn);
      if (asked.KeyId !== undefined && find(asked.KeyId) !== key) {
        throw new Refusal('IncorrectKeyException', 'The key ID does not identify the key.');
      }
      const plain = unwrap(key, blob, asked.EncryptionContext);
      return {
        KeyId: arn,
        Plaintext: plain.toString('base64'),
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    },
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const target = String(request.headers['x-amz-target']);
    const operation = operations[target.replace(/^TrentService\./, '')];
    try {
      const body: unknown = await json(request);
      if (!operation)
        throw new Refusal('UnknownOperationException', `${target} is not known here.`);
      send(response, 200, operation(body));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(response, 400, { __type: error.name, message: error.message });
    }
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://${LOOPBACK_HOST}:${port}`,
    calls,
    add(arn) {
      keys.set(arn, { arn, material: randomBytes(32), isEnabled: true });
    },
    setEnabled(arn, isEnabled) {
      const key = keys.get(arn);
      if (!key) throw new Error(`There is no key ${arn}.`);
      key.isEnabled = isEnabled;
    },
    [Symbol.asyncDispose]: () => stopServer(server),
  };
}

function parse<Schema extends z.ZodType<{ EncryptionContext: Record<string, string> }>>(
  schema: Schema,
  body: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Refusal('ValidationException', z.prettifyError(parsed.error));
  const entries = Object.entries(parsed.data.EncryptionContext).flat();
  if (Buffer.byteLength(entries.join('')) > LONGEST_CONTEXT) {
    throw new Refusal('ValidationException', 'The encryption context is too long.');
  }
  return parsed.data;
}

/** Name of the key, nonce, text and tag; the context is authenticated, in the order of its names. */
function wrap(key: KmsKey, plain: Buffer, given: Record<string, string>): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.material, nonce).setAAD(authenticated(given));
  const arn = Buffer.from(key.arn);
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.of(arn.length), arn, nonce, text, cipher.getAuthTag()]);
}

function unwrap(key: KmsKey, blob: Buffer, given: Record<string, string>): Buffer {
  const nonceAt = 1 + Buffer.byteLength(key.arn);
  const textAt = nonceAt + NONCE_BYTES;
  const tagAt = blob.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv(CIPHER, key.material, blob.subarray(nonceAt, textAt));
    decipher.setAAD(authenticated(given)).setAuthTag(blob.subarray(tagAt));
    return Buffer.concat([decipher.update(blob.subarray(textAt, tagAt)), decipher.final()]);
  } catch {
    throw new Refusal('InvalidCiphertextException', '');
  }
}

function authenticated(given: Record<string, string>): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}
