import { createHash } from 'node:crypto';
import ssh2, { type ServerHostKeyAlgorithm } from 'ssh2';
import { FerryError } from '../../core/errors.ts';

/** What a user pinned: full keys, fingerprints of keys, and keys that must never be accepted again. */
export interface HostKeys {
  /** Key types (RFC 4253, 6.6) of the keys that are pinned in full. */
  readonly types: readonly string[];
  /** `SHA256:<base64>` of every accepted key, as `ssh-keygen -l` prints it. */
  readonly accepted: readonly string[];
  readonly revoked: readonly string[];
}

/** A server's key as it shows itself in a handshake. */
export interface OfferedKey {
  readonly type: string;
  readonly fingerprint: string;
}

/** A key that was trusted when it was first seen; times as ISO 8601, UTC. */
export interface TrustedKey extends OfferedKey {
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** What is believed where no key is pinned: the key that an earlier run met or, without one, any. */
export interface FirstTrust {
  readonly known: TrustedKey | undefined;
}

/** Key types that a handshake can prove; SHA-1 signatures (`ssh-rsa`) are never among the algorithms. */
const ALGORITHMS: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

const FINGERPRINT = /SHA256:[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])/g;
/** Begins at a space or a line's start, so that no text makes it look at the same characters again and again. */
const FULL_KEY = /(?<![^\s,])((?:ssh|ecdsa|sk)-[a-z0-9@.-]+)\s+([A-Za-z0-9+/]{32,}={0,2})/g;

/**
 * Reads pinned host keys in every spelling that tools print: `SHA256:…`, a line of `ssh-keygen -l`,
 * `ssh-ed25519 AAAA…`, lines of `known_hosts` or of `ssh-keyscan`. Host names on a line are not
 * compared: the lines stand in this destination's own setting, for its one server.
 * @returns the keys, or the number, from 1, of the first line in which there is none; not its text,
 * which may be a password in the wrong place
 */
export function parseHostKeys(text: string): { keys: HostKeys } | { unusable: number } {
  const types = new Set<string>();
  const accepted = new Set<string>();
  const revoked = new Set<string>();
  const lines = text.split(/\r?\n|\\n/).map((line) => line.trim());
  for (const [at, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const unusable = at + 1;
    if (line.startsWith('@') && !line.startsWith('@revoked ')) return { unusable };
    const into = line.startsWith('@') ? revoked : accepted;
    const fingerprints = line.match(FINGERPRINT) ?? [];
    const fullKeys = [...line.matchAll(FULL_KEY)];
    for (const [, type = '', base64 = ''] of fullKeys) {
      const key = ssh2.utils.parseKey(`${type} ${base64}`);
      if (key instanceof Error || !(type in ALGORITHMS)) return { unusable };
      into.add(fingerprintOf(key.getPublicSSH()));
      if (into === accepted) types.add(type);
    }
    for (const fingerprint of fingerprints) into.add(fingerprint);
    const spelled = line.split(',').filter((piece) => piece.includes('SHA256:')).length;
    if (fingerprints.length + fullKeys.length === 0 || spelled > fingerprints.length) {
      return { unusable };
    }
  }
  return { keys: { types: [...types], accepted: [...accepted], revoked: [...revoked] } };
}

/**
 * Host key algorithms to ask for, the pinned types first: a server picks the first that it has
 * (RFC 4253, 7.1), so it shows a pinned key where it still has one and its real key where not.
 */
export function hostKeyAlgorithms(first: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = Object.keys(ALGORITHMS);
  const rest = known.filter((type) => !first.includes(type));
  return [...known.filter((type) => first.includes(type)), ...rest].flatMap(
    (type) => ALGORITHMS[type] ?? [],
  );
}

/** Type and fingerprint of a key in the form that goes over the wire. */
export function offeredKey(key: Buffer): OfferedKey {
  // The first field of a public key is its type (RFC 4253, 6.6).
  const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
  return { type, fingerprint: fingerprintOf(key) };
}

/** A key as people compare it. */
export function keyText({ type, fingerprint }: OfferedKey): string {
  return `${type} ${fingerprint}`;
}

/** A key that is not accepted; whoever is to confirm it needs to see it. */
export class HostKeyRefusal extends FerryError {
  /** As `keyText` has it. */
  readonly shown: string;

  constructor(code: 'host-key-changed' | 'host-key-unknown', message: string, shown: string) {
    super(code, message, { retry: 'never' });
    this.shown = shown;
  }
}

/**
 * Why a server's key is not accepted; undefined when it is one of the pinned ones.
 * @param trust where the operator lets the first key be trusted
 */
export function refuseHostKey(
  keys: HostKeys,
  offered: OfferedKey,
  trust?: FirstTrust,
): HostKeyRefusal | undefined {
  const shown = keyText(offered);
  if (keys.revoked.includes(offered.fingerprint)) {
    return new HostKeyRefusal(
      'host-key-changed',
      `The server showed the host key ${shown}, which SSH_HOST_KEY marks as revoked. ` +
        'Ask the operator of the server which key is the right one.',
      shown,
    );
  }
  if (keys.accepted.includes(offered.fingerprint)) return undefined;
  if (keys.accepted.length === 0 && trust) {
    const { known } = trust;
    if (!known || known.fingerprint === offered.fingerprint) return undefined;
    return new HostKeyRefusal(
      'host-key-changed',
      `The server showed the host key ${shown}, but it had ${keyText(known)} when Ferry first met it on ${known.firstSeen.slice(0, 10)}. ` +
        'Nothing was sent. If the server was set up anew, confirm the new key with its operator and ' +
        'set SSH_HOST_KEY to it; if not, somebody may be in between.',
      shown,
    );
  }
  if (keys.accepted.length === 0) {
    return new HostKeyRefusal(
      'host-key-unknown',
      `The server showed the host key ${shown}, and none is set to compare it with. ` +
        `Confirm with the operator of the server that it is its own, then set SSH_HOST_KEY to ${offered.fingerprint}.`,
      shown,
    );
  }
  return new HostKeyRefusal(
    'host-key-changed',
    `The server showed the host key ${shown}, but SSH_HOST_KEY expects ${keys.accepted.join(' or ')}. ` +
      'Nothing was sent. If the server was set up anew, confirm the new key with its operator and ' +
      'change SSH_HOST_KEY; if not, somebody may be in between.',
    shown,
  );
}

/** SHA-256 of the key as it goes over the wire, base64 without padding: what `ssh-keygen -l` prints. */
function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
