import * as z from 'zod';
import type { Traits } from '../../core/policy.ts';
import type { Parsed, Problem } from '../../core/problem.ts';
import type { Secret } from '../../core/secret.ts';
import { integer, issue, secret, text } from '../setting.ts';
import { type HostKeys, parseHostKeys } from './host-key.ts';
import { checkPrivateKey, type PrivateKey, readPrivateKey } from './private-key.ts';

/** What the driver needs to reach one server. */
export interface SshSettings {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret | undefined;
  readonly privateKey: PrivateKey | undefined;
  /** Absolute, or relative to the login directory; '' is the login directory itself. */
  readonly remotePath: string;
  readonly hostKeys: HostKeys;
}

const DEFAULT_PORT = 22;

const hostName = text.transform((value, context) => {
  const host = value.replace(/^\[(.*)\]$/, '$1');
  const isIpv6 = host.split(':').length > 2;
  if (/^[^\s/@:]+$/.test(host) || (isIpv6 && /^[0-9a-fA-F:.]+(%\w+)?$/.test(host))) return host;
  context.addIssue(
    issue(
      'This is not the name of a server.',
      'Give the name or the IP address alone; port, user and path have settings of their own.',
    ),
  );
  return z.NEVER;
});

const hostKeys = text.transform((value, context) => {
  const parsed = parseHostKeys(value);
  if ('keys' in parsed) return parsed.keys;
  context.addIssue(
    issue(
      `There is no usable host key in line ${parsed.unusable}.`,
      'Give a fingerprint (SHA256:…), a public key (ssh-ed25519 AAAA…) or a known_hosts line; ' +
        '"ssh-keyscan <host> | ssh-keygen -lf -" prints fingerprints.',
    ),
  );
  return z.NEVER;
});

const identity = secret.transform((value, context) => {
  const problem = value.isSealed ? undefined : checkPrivateKey(value);
  if (!problem) return value;
  context.addIssue(issue(problem.problem, problem.remedy));
  return z.NEVER;
});

/** Every setting of an SSH destination, under the names that users know. */
export const sshSchema = z.object({
  /** Name or IP address of the server. */
  SSH_HOST_NAME: hostName,
  /** 22 unless said otherwise. */
  SSH_PORT: integer(1, 65_535).optional(),
  SSH_USER: text,
  /** Also the answer where the server asks for a password by keyboard-interactive. */
  SSH_PASSWORD: secret.optional(),
  /** The text of the private key itself. */
  SSH_IDENTITY_FILE: identity.optional(),
  /** Opens the private key where it is encrypted. */
  SSH_IDENTITY_PASSPHRASE: secret.optional(),
  /** Folder for the archives, created when missing; the login directory unless set. */
  SSH_REMOTE_PATH: text.optional(),
  /** Host keys that the server may show: fingerprints, public keys or known_hosts lines. */
  SSH_HOST_KEY: hostKeys.optional(),
});

/** Turns accepted settings into what the driver wants; reads the private key to see that it opens. */
export function toSshSettings(given: z.output<typeof sshSchema>): Parsed<SshSettings> {
  const identity =
    given.SSH_IDENTITY_FILE &&
    readPrivateKey(given.SSH_IDENTITY_FILE, given.SSH_IDENTITY_PASSPHRASE);
  if (identity && 'problem' in identity) return { ok: false, problems: [identity.problem] };
  if (!identity && !given.SSH_PASSWORD) return { ok: false, problems: [NO_CREDENTIALS] };
  return {
    ok: true,
    value: {
      host: given.SSH_HOST_NAME,
      port: given.SSH_PORT ?? DEFAULT_PORT,
      user: given.SSH_USER,
      password: given.SSH_PASSWORD,
      privateKey: identity?.key,
      remotePath: (given.SSH_REMOTE_PATH ?? '').replace(/^~(\/|$)/, ''),
      hostKeys: given.SSH_HOST_KEY ?? { types: [], accepted: [], revoked: [] },
    },
  };
}

/** What the operator's policy looks at: SSH is never unencrypted, and knows no certificates. */
export function sshTraits(given: z.output<typeof sshSchema>): Traits {
  const settings = { host: 'SSH_HOST_NAME', port: 'SSH_PORT' };
  const place = { settings, host: given.SSH_HOST_NAME, port: given.SSH_PORT ?? DEFAULT_PORT };
  return { hosts: [place], plainHttp: [] };
}

const NO_CREDENTIALS: Problem = {
  path: 'SSH_PASSWORD',
  problem: 'There is neither a password nor a private key.',
  remedy: 'Give SSH_PASSWORD, or the text of a private key in SSH_IDENTITY_FILE.',
};
