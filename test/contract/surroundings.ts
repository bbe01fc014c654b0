import type { Surroundings } from '../../functions/destinations/surroundings.ts';

/** A deployment in which no user has staged files, and nobody hands out keys. */
export const NO_SURROUNDINGS: Surroundings = {
  readFile: async () => undefined,
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
