import type { Parsed } from '../functions/core/problem.ts';
import type { User } from '../functions/core/user.ts';
import type { ConfiguredDestination } from '../functions/destinations/destination-type.ts';
import { parseRow } from '../functions/settings/row.ts';
import { Failure } from './failure.ts';
import type { Ferry } from './ferry.ts';
import { parseDestination } from './parse-destination.ts';
import { openPolicy } from './policy.ts';

interface Row {
  readonly userId: string;
  readonly spec: unknown;
}

/**
 * Holds settings against what Ferry itself will hold them against once they are written: what their
 * types take, and what the operator allows.
 * @throws Failure with every problem
 */
export async function assertValid(ferry: Ferry, row: Row): Promise<void> {
  const parsed = await parse(ferry, row);
  if (parsed.ok) return;
  const { problems } = parsed;
  const message = `These settings of "${row.userId}" would be refused; nothing was written.`;
  throw new Failure(message, { problems });
}

/**
 * What settings that are stored ask for.
 * @throws Failure with every problem
 */
export async function validUser(ferry: Ferry, row: Row): Promise<User<ConfiguredDestination>> {
  const parsed = await parse(ferry, row);
  if (parsed.ok) return parsed.value;
  const { problems } = parsed;
  throw new Failure(`The settings of "${row.userId}" have to be put right first.`, { problems });
}

async function parse(
  ferry: Ferry,
  { spec, userId }: Row,
): Promise<Parsed<User<ConfiguredDestination>>> {
  return parseRow({ userId, spec }, parseDestination, await openPolicy(ferry).read());
}
