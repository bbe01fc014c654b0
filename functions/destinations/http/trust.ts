import { getCACertificates } from 'node:tls';
import type { Traits } from '../../core/policy.ts';
import type { Problem } from '../../core/problem.ts';
import type { Address } from './address.ts';

/** Whose certificates are believed. */
export interface Trust {
  /** Accept any certificate. */
  readonly insecure: boolean;
  /** Trusted besides the public roots; PEM, one certificate each. */
  readonly authorities: readonly string[];
}

/** How certificates are checked: by the public roots and the user's own authorities, or not at all. */
export function tlsOptions({ insecure, authorities }: Trust) {
  if (insecure) return { rejectUnauthorized: false };
  return authorities.length === 0 ? {} : { ca: [...getCACertificates('default'), ...authorities] };
}

/** The settings that say where a server is and whose certificates are believed. */
export interface TrustSettings {
  readonly address: string;
  readonly insecure: string;
  readonly authority: string;
  /** How the user gets from http to https. */
  readonly toHttps: string;
}

/** What is contradictory about certificates, by the names of the settings. */
export function* trustProblems(
  names: TrustSettings,
  { insecure, authorities }: Trust,
  protocol: 'http' | 'https',
): Generator<Problem> {
  const isOwn = authorities.length > 0;
  for (const [path, used] of [
    [names.insecure, insecure],
    [names.authority, isOwn],
  ] as const) {
    if (used && protocol === 'http') {
      yield {
        path,
        problem: 'This is about certificates, but the address is reached over plain http.',
        remedy: `Remove it, or ${names.toHttps}.`,
      };
    }
  }
  if (insecure && isOwn) {
    yield {
      path: names.insecure,
      problem: `${names.authority} asks to check the certificate, and this asks not to.`,
      remedy: `Remove ${names.insecure}; your own certificate is trusted without it.`,
    };
  }
}

/** What the operator's policy looks at of a server that is reached by HTTP. */
export function httpTraits(
  names: TrustSettings,
  insecure: boolean | undefined,
  address: Address | undefined,
): Traits {
  const { address: setting, authority, toHttps } = names;
  const settings = { host: setting, port: setting };
  return {
    hosts: address ? [{ settings, host: address.host, port: address.port }] : [],
    plainHttp: address?.protocol === 'http' ? [{ setting, toHttps }] : [],
    insecureTls: insecure ? { setting: names.insecure, authority } : undefined,
  };
}
