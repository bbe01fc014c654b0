import type { LookupFunction } from 'node:net';
import { addressForbidden, type Egress, type NetAddress, type Target } from '../core/egress.ts';

/**
 * The addresses that a host stands for, all of which may be connected to.
 * @throws FerryError `address-forbidden`
 */
export async function findAdmitted(egress: Egress, target: Target): Promise<readonly NetAddress[]> {
  const addresses = await egress.lookUp(target);
  const refusal = egress.refuse(target, addresses);
  if (refusal) throw addressForbidden(refusal);
  return addresses;
}

/** Options for a socket that connects to these addresses, one after another, and to no others. */
export function leadingTo({ host, port }: Target, addresses: readonly NetAddress[]) {
  const [only, ...rest] = addresses;
  // Sockets ask nobody for the address of what is an address already.
  const name = only && rest.length === 0 ? only.address : host;
  return { host: name, port, lookup: answering(async () => addresses) };
}

/** A socket's name lookup that gets its answer here. */
export function answering(find: () => Promise<readonly NetAddress[]>): LookupFunction {
  return (_name, options, answer) => {
    find().then(
      (addresses) => {
        const [first] = addresses;
        if (options.all || !first) answer(null, [...addresses]);
        else answer(null, first.address, first.family);
      },
      (error) => answer(error, []),
    );
  };
}
