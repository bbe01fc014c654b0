import { FerryError } from '../../../functions/core/errors.ts';
import { Secret } from '../../../functions/core/secret.ts';
import type { Destination } from '../../../functions/destinations/contract.ts';
import type { ParseDestination } from '../../../functions/settings/row.ts';
import type { Secrets } from '../../../functions/settings-changed/ports.ts';
import type { Invocation } from '../cloud/environment.ts';
import type { Server } from '../destinations/server.ts';

/** What a destination needs beside its settings. */
export interface Surroundings {
  readonly invocation: Invocation;
  readonly server: Server | undefined;
  unseal(name: string, sealed: string): Promise<Secret>;
}

export interface Configured {
  readonly readable: readonly string[];
  open(surroundings: Surroundings): Promise<Destination>;
}

/** Stands for a password in a file that nobody has staged. */
export const IN_A_FILE = 'in a file';

/** Every kind of server has one setting here, its password; it may be said to stand in a file. */
export const parseSimulated: ParseDestination<Configured> = (type, { PASSWORD: given }) => {
  const sealed = sealedIn(given);
  if (typeof given !== 'string' && sealed === undefined) {
    const problem = { path: 'PASSWORD', problem: 'This is no text.', remedy: 'Give a password.' };
    return { ok: false, problems: [problem] };
  }
  return {
    ok: true,
    value: {
      readable: sealed === undefined ? ['PASSWORD'] : [],
      async open({ invocation, server, unseal }) {
        if (sealed === undefined) throw new Error('A readable password was to be used');
        const password = (await unseal('PASSWORD', sealed)).reveal();
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

/** Passwords as people write them. */
export const findSimulated: Secrets['find'] = (_type, { PASSWORD: given }) =>
  typeof given === 'string'
    ? [
        {
          setting: 'PASSWORD',
          name: 'PASSWORD',
          text: new Secret(given),
          was: () => given,
          problems: () => [],
        },
      ]
    : [];

function sealedIn(given: unknown): string | undefined {
  const isMap = typeof given === 'object' && given !== null && 'sealed' in given;
  return isMap && typeof given.sealed === 'string' ? given.sealed : undefined;
}
