import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Surroundings } from '../../functions/destinations/surroundings.ts';

/** A deployment in which no user has staged files, and nobody hands out keys. */
export const NO_SURROUNDINGS: Surroundings = {
  readFile: async () => undefined,
  policy: async () => NO_LIMITS,
  roleEndpoints: [],
  assumeRole: async () => {
    throw new Error('nobody assumes a role here');
  },
  recall: async () => undefined,
  remember: async () => undefined,
};
