import type { Policy } from '../core/policy.ts';
import type { Parsed, Problem } from '../core/problem.ts';
import { guess, shapeProblems } from '../core/shape-problems.ts';
import { POLICY_NAMES, policySchema } from './schema.ts';

/**
 * What the operator wrote. Strict: an unknown name or type of destination is a problem, for it would
 * else allow or forbid what nobody meant. Problems are told at paths such as `policy.network.allow.0`.
 * @param types of destination that there are
 */
export function parsePolicy(written: unknown, types: readonly string[]): Parsed<Policy> {
  const parsed = policySchema.safeParse(written, { reportInput: true });
  const problems = parsed.success
    ? unknownTypes(parsed.data, types)
    : parsed.error.issues.flatMap((issue) =>
        shapeProblems(issue, (place) => POLICY_NAMES.get(place.join('.')) ?? []),
      );
  if (parsed.success && problems.length === 0) {
    const { v: _version, ...policy } = parsed.data;
    return { ok: true, value: policy };
  }
  return { ok: false, problems: problems.map(below) };
}

function unknownTypes({ types = [], network }: Policy, known: readonly string[]): Problem[] {
  const named = [
    ...types.map((type, at) => ({ type, path: `types.${at}` })),
    ...Object.keys(network.ports).map((type) => ({ type, path: `network.ports.${type}` })),
  ];
  return named
    .filter(({ type }) => !known.includes(type))
    .map(({ type, path }) => ({
      path,
      problem: `There is no destination type "${type}".`,
      remedy: `${guess(type, known)}Known types: ${known.join(', ')}.`,
    }));
}

function below(found: Problem): Problem {
  return { ...found, path: found.path === '' ? 'policy' : `policy.${found.path}` };
}
