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
    const { settings } = place;
    const path = refused.message.includes(`(${settings.host})`) ? settings.host : settings.port;
    // The remedy is the last sentence.
    const at = refused.message.lastIndexOf('. ') + 1;
    const [problem, remedy] = [refused.message.slice(0, at), refused.message.slice(at + 1)];
    return [{ path, problem, remedy, rule: 'network' }];
  });
}
