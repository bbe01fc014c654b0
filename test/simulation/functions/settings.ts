import { FerryError } from '../../../functions/core/errors.ts';
import type { Destination } from '../../../functions/destinations/contract.ts';
import type { ParseDestination } from '../../../functions/settings/row.ts';
import type { Invocation } from '../cloud/environment.ts';
import type { Server } from '../destinations/server.ts';

/** What a destination needs beside its settings. */
export interface Surroundings {
  readonly invocation: Invocation;
  readonly server: Server | undefined;
}

export interface Configured {
  open(surroundings: Surroundings): Promise<Destination>;
}

/** Stands for a password in a file that nobody has staged. */
export const IN_A_FILE = 'in a file';

/** Every kind of server has one setting here, its password; it may be said to stand in a file. */
export const parseSimulated: ParseDestination<Configured> = (type, settings) => {
  const { PASSWORD: password } = settings;
  if (typeof password !== 'string') {
    const problem = { path: 'PASSWORD', problem: 'This is no text.', remedy: 'Give a password.' };
    return { ok: false, problems: [problem] };
  }
  return {
    ok: true,
    value: {
      async open({ invocation, server }) {
        if (password === IN_A_FILE) {
          const message = 'PASSWORD_FILE names a file that is not there. Stage it there.';
          throw new FerryError('setting-invalid', message, { retry: 'never' });
        }
        if (!server || server.kind !== type) throw new Error(`There is no server of type ${type}`);
        return server.connect(invocation, password);
      },
    },
  };
};
