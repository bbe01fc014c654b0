import type { Policy, Traits } from '../core/policy.ts';
import type { Parsed, Problem } from '../core/problem.ts';
import type { ConfiguredDestination } from '../destinations/destination-type.ts';
import { parseDestination as parseByType } from '../destinations/registry.ts';
import { openEgress } from '../egress/egress.ts';
import { readHost } from '../egress/host.ts';

/**
 * Checks the settings of one destination, by its type and by the operator's policy. Of where it is, as
 * much is checked as can be told without asking a name server; the rest shows when it is connected to.
 */
export function parseDestination(
  type: string,
  settings: Readonly<Record<string, unknown>>,
  policy: Policy,
): Parsed<ConfiguredDestination> {
  const parsed = parseByType(type, settings, policy);
  const problems = parsed.ok ? placeProblems(type, policy, parsed.value.traits) : [];
  return problems.length > 0 ? { ok: false, problems } : parsed;
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
