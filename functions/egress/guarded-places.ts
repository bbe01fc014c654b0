import type { Policy, Traits } from '../core/policy.ts';
import type { Parsed, Problem } from '../core/problem.ts';
import { openEgress } from './egress.ts';
import { readHost } from './host.ts';

type Parse<Configured> = (
  type: string,
  settings: Readonly<Record<string, unknown>>,
  policy: Policy,
) => Parsed<Configured>;

/**
 * Adds to a check of settings whether the operator allows the place that they name. Of that, as much is
 * checked as can be told without asking a name server; the rest shows when it is connected to.
 */
export function guardPlaces<Configured extends { readonly traits?: Traits | undefined }>(
  parse: Parse<Configured>,
): Parse<Configured> {
  return (type, settings, policy) => {
    const parsed = parse(type, settings, policy);
    const problems = parsed.ok ? placeProblems(type, policy, parsed.value.traits) : [];
    return problems.length > 0 ? { ok: false, problems } : parsed;
  };
}

function placeProblems(type: string, policy: Policy, traits: Traits | undefined): Problem[] {
  const egress = openEgress(policy.network);
  return (traits?.hosts ?? []).flatMap((place) => {
    const host = readHost(place.host);
    const refused = egress.refuse(
      { type, ...place },
      host.kind === 'address' ? host.addresses : [],
    );
    if (!refused) return [];
    const { setting: path, problem, remedy } = refused;
    return [{ path, problem, remedy, rule: 'network' }];
  });
}
