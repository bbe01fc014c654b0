import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { Invocation, Nature } from './environment.ts';
import { ask, type Service, type Trouble } from './request.ts';

/** The key service that seals and opens data keys. */
export interface KeyService {
  /** The client that one invocation uses. */
  connect(invocation: Invocation): KMSClient;
}

interface DataKey {
  readonly plain: Uint8Array;
  readonly context: Readonly<Record<string, string>>;
}

const BASE = new KMSClient({ region: 'nowhere' });

export function openKeyService(nature: Nature): KeyService {
  /** By what stands for the encrypted key. */
  const dataKeys = new Map<string, DataKey>();
  const service: Service = { name: 'keys', ms: [5, 80], attempts: 3 };

  const answer = (command: unknown): object => {
    if (command instanceof GenerateDataKeyCommand) {
      const plain = randomBytes(32);
      const blob = randomBytes(184);
      const context = command.input.EncryptionContext ?? {};
      dataKeys.set(blob.toString('base64'), { plain, context });
      return { Plaintext: plain, CiphertextBlob: blob };
    }
    if (command instanceof DecryptCommand) {
      const { CiphertextBlob: blob = new Uint8Array(), EncryptionContext = {} } = command.input;
      const found = dataKeys.get(Buffer.from(blob).toString('base64'));
      if (found && isDeepStrictEqual(found.context, EncryptionContext)) {
        return { Plaintext: found.plain };
      }
      throw Object.assign(new Error('Refused'), { name: 'InvalidCiphertextException' });
    }
    throw new Error('No such request is known of a key service.');
  };

  return {
    connect(invocation) {
      const send = (command: object) => {
        const what = command.constructor.name.replace('Command', '');
        return ask(nature, invocation, { service, what, effect: () => answer(command), explain });
      };
      return Object.create(BASE, { send: { value: send } });
    },
  };
}

function explain(trouble: Trouble): Error {
  const name = trouble === 'throttled' ? 'ThrottlingException' : 'TimeoutError';
  return Object.assign(new Error(`The key service gives no answer: ${trouble}`), { name });
}
