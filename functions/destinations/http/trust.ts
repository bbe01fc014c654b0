import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates } from 'node:tls';

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

export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** The sockets of one destination, kept open between requests; `destroy` both when it is closed. */
export function createAgents(trust: Trust, maxSockets: number): Agents {
  const options = { keepAlive: true, maxSockets };
  return {
    httpAgent: new HttpAgent(options),
    httpsAgent: new HttpsAgent({ ...options, ...tlsOptions(trust) }),
  };
}
