import type * as z from 'zod';
import { hashContent } from '../core/content-hash.ts';
import { countProblems, type Policy } from '../core/policy.ts';
import { fewProblems, type Parsed, type Problem } from '../core/problem.ts';
import type { Schedule } from '../core/schedule.ts';
import { shapeProblems } from '../core/shape-problems.ts';
import { DESTINATION_NAME, type User, type UserDestination, type UserRow } from '../core/user.ts';
import {
  misplacedSecrets,
  namedDestinations,
  onlyDestination,
  putSealings,
  straySecrets,
} from './row-secrets.ts';
import { parseSchedule } from './schedule.ts';
import {
  KNOWN_NAMES,
  marksSchema,
  readableDestination,
  readableRow,
  rowSchema,
  TOO_MANY_DESTINATIONS,
} from './schema.ts';
import { isSwitchedOff } from './switches.ts';
import { upgradeSpec } from './upgrades.ts';
import { writtenMaps } from './written-maps.ts';

/**
 * Checks the settings of one destination, and whether the operator allows them; problems are told by
 * setting name, or at `type`.
 */
export type ParseDestination<Configured> = (
  type: string,
  settings: Readonly<Record<string, unknown>>,
  policy: Policy,
) => Parsed<Configured>;

/** For those who need to know only which destinations a user has: their settings may be wrong. */
export const acceptUnseen: ParseDestination<undefined> = () => ({ ok: true, value: undefined });

/** Reads an item of the settings table: what people wrote and where the pipeline stands with it. */
export function readRow<Configured>(
  item: unknown,
  parseDestination: ParseDestination<Configured>,
  policy: Policy,
): UserRow<Configured> {
  const { spec, status, dueShard, dueAt } = marksSchema.parse(item);
  return {
    user: parseRow(item, parseDestination, policy),
    specHash: hashContent(spec),
    checkedHash: status?.specHash,
    told: status?.problems,
    due: dueAt === undefined ? undefined : { shard: dueShard, at: dueAt },
    named: namedDestinations(item),
    maps: () => writtenMaps(item),
    only: (destination) => onlyDestination(item, destination),
    isOff: (destination) => isSwitchedOff(item, destination),
    sealed: (sealings) => readRow(putSealings(item, sealings), parseDestination, policy),
  };
}

/**
 * What the people's part of an item asks for. Strict: an unknown name, a wrong type or a setting that
 * its destination does not accept is a problem, and so is what the operator does not allow. All
 * problems are told at once, each at its path, such as `spec.destinations.nas.settings.SSH_PORT`.
 */
export function parseRow<Configured>(
  written: unknown,
  parseDestination: ParseDestination<Configured>,
  policy: Policy,
): Parsed<User<Configured>> {
  const item = upgradeSpec(written);
  const shape = rowSchema.safeParse(item, { reportInput: true });
  const problems: Problem[] = shape.success
    ? []
    : shape.error.issues.flatMap((issue) => shapeProblems(issue, knownAt));
  const accept = <T>(path: string, parsed: Parsed<T>): T | undefined => {
    if (parsed.ok) return parsed.value;
    problems.push(...parsed.problems.map((p) => ({ ...p, path: `${path}.${p.path}` })));
    return undefined;
  };

  const spec =
    shape.success || !hasTooMany(shape.error) ? readableRow.safeParse(item).data?.spec : undefined;
  const { cron, timeZone } = spec?.schedule ?? { cron: '@daily', timeZone: 'UTC' };
  const schedule = accept('spec.schedule', parseSchedule(cron, timeZone, policy));
  const configured = new Map<string, { readonly value: Configured }>();
  const destinations = Object.entries(spec?.destinations ?? {});
  for (const { path, ...found } of countProblems(policy, destinations.length)) {
    problems.push({ ...found, path: `spec.${path}` });
  }
  for (const [name, given] of destinations) {
    const path = `spec.destinations.${name}`;
    if (!DESTINATION_NAME.test(name)) problems.push(badName(path));
    const { data } = readableDestination.safeParse(given);
    if (!data) continue;
    const parsed = inSettings(parseDestination(data.type, data.settings, policy));
    accept(path, parsed);
    if (parsed.ok) problems.push(...misplacedSecrets(item, name, data.settings));
    if (parsed.ok) configured.set(name, parsed);
  }
  if (!shape.success || schedule === undefined || problems.length > 0) {
    return { ok: false, problems: fewProblems(withStrays(item, problems)) };
  }
  return { ok: true, value: toUser(shape.data, schedule, configured) };
}

/** What is told of a secret that does not belong where it stands takes the place of all else there. */
function withStrays(item: unknown, problems: readonly Problem[]): readonly Problem[] {
  const strays = straySecrets(item);
  const places = new Set(strays.map(({ path }) => path));
  const isTold = ({ path }: Problem) =>
    path.split('.').some((_step, at, steps) => places.has(steps.slice(0, at + 1).join('.')));
  return [...strays, ...problems.filter((found) => !isTold(found))];
}

function toUser<Configured>(
  { userId, spec }: z.output<typeof rowSchema>,
  schedule: Schedule,
  configured: ReadonlyMap<string, { readonly value: Configured }>,
): User<Configured> {
  const destinations = new Map<string, UserDestination<Configured>>();
  for (const [name, { value }] of configured) {
    const given = spec.destinations[name];
    if (given) {
      const { type, enabled, verify } = given;
      destinations.set(name, { type, enabled, verify, configured: value });
    }
  }
  return { id: userId, enabled: spec.enabled, schedule, backUp: spec.backUp, destinations };
}

/** Moves problems with a setting to where the settings are; one with the type itself stays beside them. */
function inSettings<T>(parsed: Parsed<T>): Parsed<T> {
  if (parsed.ok) return parsed;
  const problems = parsed.problems.map((found) =>
    found.path === 'type' ? found : { ...found, path: `settings.${found.path}` },
  );
  return { ok: false, problems };
}

/** Looking at more destinations than anybody has would be work done for somebody who means harm. */
function hasTooMany(error: z.ZodError): boolean {
  return error.issues.some(({ message }) => message === TOO_MANY_DESTINATIONS);
}

function badName(path: string): Problem {
  return {
    path,
    problem: 'A destination cannot have this name.',
    remedy: 'Choose 1 to 40 lowercase letters, digits and "-", beginning with a letter or digit.',
  };
}

/** The names that people may use at a place; `*` stands for any destination. */
function knownAt(place: readonly PropertyKey[]): readonly string[] {
  return KNOWN_NAMES.get(place.map((step, at) => (at === 2 ? '*' : step)).join('.')) ?? [];
}
