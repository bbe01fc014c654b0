import type { User } from '../functions/core/user.ts';
import type { ConfiguredDestination } from '../functions/destinations/destination-type.ts';
import { parseDestination } from '../functions/destinations/registry.ts';
import { parseRow } from '../functions/settings/row.ts';
import { Failure } from './failure.ts';

/**
 * Holds settings against what Ferry itself will hold them against once they are written.
 * @throws Failure with every problem
 */
export function assertValid(userId: string, spec: unknown): void {
  const parsed = parseRow({ userId, spec }, parseDestination);
  if (parsed.ok) return;
  throw new Failure(`These settings of "${userId}" would be refused; nothing was written.`, {
    problems: parsed.problems,
  });
}

/**
 * What settings that are stored ask for.
 * @throws Failure with every problem
 */
export function validUser({
  userId,
  spec,
}: {
  readonly userId: string;
  readonly spec: unknown;
}): User<ConfiguredDestination> {
  const parsed = parseRow({ userId, spec }, parseDestination);
  if (parsed.ok) return parsed.value;
  throw new Failure(`The settings of "${userId}" have to be put right first.`, {
    problems: parsed.problems,
  });
}
