import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import {
  type HostKeys,
  hostKeyAlgorithms,
  offeredKey,
  parseHostKeys,
  refuseHostKey,
} from '../../functions/destinations/ssh/host-key.ts';
import { generateSshKey } from '../../local/ssh-key.ts';

const ed25519 = makeKey('ed25519');
const other = makeKey('ed25519');
const ecdsa = makeKey('ecdsa');

function makeKey(type: 'ed25519' | 'ecdsa') {
  const pair =
    type === 'ecdsa' ? ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }) : generateSshKey();
  const line = pair.public.trim();
  const wire = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  const hash = createHash('sha256').update(wire).digest('base64').replace(/=+$/, '');
  return { line, wire, fingerprint: `SHA256:${hash}` };
}

function pinned(text: string): HostKeys {
  const parsed = parseHostKeys(text);
  if ('unusable' in parsed) throw new Error(`line ${parsed.unusable}`);
  return parsed.keys;
}

describe('a pinned host key', () => {
  it.each([
    ['a fingerprint', ed25519.fingerprint],
    ['a line of ssh-keygen -l', `256 ${ed25519.fingerprint} no comment (ED25519)`],
    ['a public key', ed25519.line],
    ['a public key with a comment', `${ed25519.line} root@nas`],
    ['a known_hosts line', `nas.example.com,10.0.0.7 ${ed25519.line}`],
    ['a known_hosts line with a port', `[nas.example.com]:2222 ${ed25519.line}`],
    ['a hashed known_hosts line', `|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8w= ${ed25519.line}`],
    ['the output of ssh-keyscan', `# nas:22 SSH-2.0-OpenSSH_9.2\nnas ${ed25519.line}\n`],
    ['one of several, by comma', `${other.fingerprint},${ed25519.fingerprint}`],
    ['one of several, by line', `${other.line}\n${ecdsa.line}\r\n${ed25519.line}`],
    ['one of several, with \\n spelled out', `${other.line}\\n${ed25519.line}`],
    ['one of several public keys, by comma', `${other.line}, ${ed25519.line}`],
  ])('is accepted as %s', (_, text) => {
    expect(refuseHostKey(pinned(text), offeredKey(ed25519.wire))).toBeUndefined();
  });

  it('is looked for in a time that grows with the text and no faster', () => {
    // Quadratic, this text would keep a processor busy for a day.
    expect(parseHostKeys('ssh-'.repeat(2 ** 21))).toEqual({ unusable: 1 });
  });

  it.each([
    ['MD5 fingerprints', 'MD5:aa:bb:cc'],
    ['a fingerprint that lost a character', ed25519.fingerprint.slice(0, -1)],
    ['a key that was cut off', ed25519.line.slice(0, -8)],
    ['a key under the name of another type', ed25519.line.replace('ssh-ed25519', 'ssh-rsa')],
    ['a good one beside a bad one', `${ed25519.fingerprint},SHA256:short`],
    ['certificate authorities', `@cert-authority *.example.com ${ed25519.line}`],
    ['anything else', 'yes'],
  ])('cannot be %s', (_, text) => {
    expect(parseHostKeys(text)).toHaveProperty('unusable');
  });

  it('that is missing makes the server show its own, to be confirmed', () => {
    const refusal = refuseHostKey(pinned(''), offeredKey(ed25519.wire));
    expect(refusal).toMatchObject({ code: 'host-key-unknown', retry: 'never' });
    expect(refusal?.message).toContain(`ssh-ed25519 ${ed25519.fingerprint}`);
    expect(refusal?.message).toContain(`set SSH_HOST_KEY to ${ed25519.fingerprint}`);
  });

  it('that differs from the shown one stops everything, and both are named', () => {
    const refusal = refuseHostKey(pinned(other.fingerprint), offeredKey(ed25519.wire));
    expect(refusal).toMatchObject({ code: 'host-key-changed', retry: 'never' });
    expect(refusal?.message).toContain(ed25519.fingerprint);
    expect(refusal?.message).toContain(other.fingerprint);
  });

  it('that was revoked is refused, also where it is accepted on another line', () => {
    const keys = pinned(`${ed25519.line}\n@revoked * ${ed25519.line}`);
    expect(refuseHostKey(keys, offeredKey(ed25519.wire))?.message).toContain('revoked');
  });
});

describe('the algorithms asked for', () => {
  it('begin with the type that is pinned', () => {
    expect(hostKeyAlgorithms(pinned(ed25519.line).types)[0]).toBe('ssh-ed25519');
    expect(hostKeyAlgorithms(pinned(ecdsa.line).types)[0]).toBe('ecdsa-sha2-nistp256');
  });

  it('prove RSA keys by SHA-2 and never by SHA-1', () => {
    const asked = hostKeyAlgorithms(pinned(ed25519.fingerprint).types);
    expect(asked).toEqual(expect.arrayContaining(['rsa-sha2-512', 'rsa-sha2-256']));
    expect(asked).not.toContain('ssh-rsa');
    expect(asked).not.toContain('ssh-dss');
  });
});
