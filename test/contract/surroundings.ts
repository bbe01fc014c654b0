import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Surroundings } from '../../functions/destinations/surroundings.ts';
import { openEgress } from '../../functions/egress/egress.ts';

/** Where test servers are. */
export const LOOPBACK = openEgress({ allow: ['127.0.0.0/8', '::1/128'], ports: {} });

/** A deployment in which no user has staged files, and nobody hands out keys. */
export const NO_SURROUNDINGS: Surroundings = {
  egress: LOOPBACK,
  trustFirstHostKey: false,
  readFile: async () => undefined,
  policy: NO_LIMITS,
  unseal: async () => {
    throw new Error('nobody opens anything here');
  },
  roleEndpoints: [],
  assumeRole: async () => {
    throw new Error('nobody assumes a role here');
  },
  recall: async () => undefined,
  remember: async () => undefined,
};
