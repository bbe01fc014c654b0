import { createSecretKey } from 'node:crypto';
import type { Client } from 'ssh2';

/**
 * Where ssh2 keeps the keys of AES-GCM once it has logged in, by the object that has them; it has no
 * other way to them.
 */
const KEYS = { _cipher: '_encKey', _decipher: '_decipherKey' };

/**
 * Has the keys of a connection looked at once: ssh2 makes a cipher for each packet, and Node looks at a
 * key that comes as bytes each time, a fifth of the CPU time of a delivery. Changes nothing where ssh2
 * keeps them otherwise, and lasts until new keys are agreed upon (OpenSSH: after 64 GiB).
 */
export function keepPacketKeys(client: Client): void {
  const protocol = propertyOf(client, '_protocol');
  for (const [side, name] of Object.entries(KEYS)) {
    const owner = propertyOf(protocol, side);
    const key = propertyOf(owner, name);
    if (owner instanceof Object && Buffer.isBuffer(key))
      Reflect.set(owner, name, createSecretKey(key));
  }
}

function propertyOf(owner: unknown, name: string): unknown {
  return owner instanceof Object ? Reflect.get(owner, name) : undefined;
}
