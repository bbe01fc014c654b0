import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { Egress, Purpose } from '../../core/egress.ts';
import { answering, findAdmitted } from '../checked-socket.ts';
import { type Trust, tlsOptions } from './trust.ts';

export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/**
 * The sockets of one destination, kept open between requests; `destroy` both when it is closed. Every
 * socket goes through the guard when it is opened, whatever led to it: a setting, a redirect or the
 * address of another service.
 */
export function createAgents(
  trust: Trust,
  maxSockets: number,
  egress: Egress,
  purpose: Purpose,
): Agents {
  const options = { keepAlive: true, maxSockets };
  return {
    httpAgent: guard(new HttpAgent(options), egress, purpose),
    httpsAgent: guard(new HttpsAgent({ ...options, ...tlsOptions(trust) }), egress, purpose),
  };
}

/** Stands for a host that is refused, so that the socket ends with the reason as after a failed lookup. */
const NOWHERE = 'refused.invalid';

function guard<T extends HttpAgent>(agent: T, egress: Egress, purpose: Purpose): T {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const host = options.host ?? 'localhost';
    const target = { ...purpose, host, port: Number(options.port) };
    const lookup = answering(() => findAdmitted(egress, target));
    const family = isIP(host);
    if (family !== 4 && family !== 6) return connect({ ...options, lookup }, callback);
    // Node asks for no lookup of what is an address already (nodejs.org/api/net.html, socket.connect).
    if (!egress.refuse(target, [{ address: host, family }])) return connect(options, callback);
    return connect({ ...options, host: NOWHERE, lookup }, callback);
  };
  return agent;
}
