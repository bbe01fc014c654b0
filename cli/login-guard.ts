import type { Egress } from '../functions/core/egress.ts';
import { describeProblems } from '../functions/core/problem.ts';
import { openEgress } from '../functions/egress/egress.ts';
import { Failure } from './failure.ts';
import type { Ferry } from './ferry.ts';
import { parseDestination } from './parse-destination.ts';
import { openPolicy } from './policy.ts';

/**
 * The guard for a login that begins on this machine. A user's row names the server, and this machine
 * stands inside the operator's network as much as a worker does, so that the same policy counts.
 * @param settings of the destination as they will be; a `SealedSecret` stands for one that is still to come
 * @throws Failure where the policy refuses the server, before anything is sent to it
 */
export async function guardLogin(
  ferry: Ferry,
  type: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<Egress> {
  const policy = await openPolicy(ferry).read();
  const parsed = parseDestination(type, settings, policy);
  if (!parsed.ok) throw new Failure(describeProblems(parsed.problems));
  const egress = openEgress(policy.network);
  for (const host of parsed.value.traits?.hosts ?? []) {
    const target = { type, ...host };
    const refusal = egress.refuse(target, await egress.lookUp(target));
    if (refusal) throw new Failure(describeProblems([{ path: refusal.setting, ...refusal }]));
  }
  return egress;
}
