import { NumberValue } from '@aws-sdk/lib-dynamodb';
import type { Due, RowPath, Sealing, Verdict } from '../core/user.ts';
import { DUE_INDEX, SETTINGS_KEY } from './keys.ts';
import type { Change } from './last-run.ts';

/** The one conditional write that a verdict is; status is there as a map. */
export function verdictChange(seen: Due | undefined, verdict: Verdict, now: number): Change {
  const { specHash, problems, due, sealings = [] } = verdict;
  const set: Record<string, unknown> = { '#s.v': 1 };
  if (specHash !== undefined) set['#s.specHash'] = specHash;
  if (problems !== undefined) {
    set['#s.#state'] = problems.length === 0 ? 'valid' : 'invalid';
    set['#s.problems'] = problems;
    set['#s.checkedAt'] = new Date(now).toISOString();
  }
  if (due) Object.assign(set, { '#s.nextRun': due.at, '#shard': due.shard, '#at': due.at });
  const sealing = sealingChange(sealings);
  const assigned = Object.entries({ ...set, ...sealing.set }).map(([path, value], at) => ({
    path,
    name: `:v${at}`,
    value,
  }));
  const assignments = assigned.map(({ path, name }) => `${path} = ${name}`).join(', ');
  const conditions = [
    'attribute_exists(#id)',
    seen ? '#at = :seen' : 'attribute_not_exists(#at)',
    ...sealing.conditions,
  ];
  return {
    UpdateExpression: `SET ${assignments}${due ? '' : ' REMOVE #s.nextRun, #shard, #at'}`,
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeNames: {
      '#id': SETTINGS_KEY,
      '#s': 'status',
      ...(problems && { '#state': 'state' }),
      '#shard': DUE_INDEX.partitionKey,
      '#at': DUE_INDEX.sortKey,
      ...sealing.names,
    },
    ExpressionAttributeValues: {
      ...Object.fromEntries(assigned.map(({ name, value }) => [name, value])),
      ...(seen ? { ':seen': seen.at } : {}),
      ...sealing.values,
    },
  };
}

/** Secrets in their places, each only where it is still the one that was read. */
function sealingChange(sealings: readonly Sealing[]) {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const set: Record<string, unknown> = {};
  const nameFor = (name: string): string => {
    const known = Object.entries(names).find(([, other]) => other === name);
    const placeholder = known?.[0] ?? `#n${Object.keys(names).length}`;
    names[placeholder] = name;
    return placeholder;
  };
  const valueFor = (value: unknown): string => {
    const placeholder = `:w${Object.keys(values).length}`;
    values[placeholder] = value;
    return placeholder;
  };
  const isOneOf = (path: string, wanted: readonly unknown[]): string =>
    `(${wanted.map((value) => `${path} = ${valueFor(value)}`).join(' OR ')})`;
  const isStill = (path: string, was: unknown): string => {
    if (typeof was !== 'object' || was === null) return isOneOf(path, spellingsOf(was));
    const sealed = `${path}.${nameFor('sealed')}`;
    if ('sealed' in was && typeof was.sealed === 'string') return isOneOf(sealed, [was.sealed]);
    // Whatever it is by now: no text, and nothing that somebody sealed.
    const texts = ['S', 'N', 'BOOL'].map(
      (type) => `NOT attribute_type(${path}, ${valueFor(type)})`,
    );
    return [`attribute_exists(${path})`, ...texts, `attribute_not_exists(${sealed})`].join(' AND ');
  };
  const placeOf = (path: RowPath): string =>
    path.reduce<string>((place, step) => {
      if (typeof step === 'number') return `${place}[${step}]`;
      return place === '' ? nameFor(step) : `${place}.${nameFor(step)}`;
    }, '');
  const conditions = sealings.map(({ path, was, value }) => {
    const place = placeOf(path);
    set[place] = value;
    return isStill(place, was());
  });
  return { names, values, set, conditions };
}

/** DynamoDB has numbers of so many digits. */
const MOST_DIGITS = 38;

/** A number that JavaScript would change was read as text, and another row has that very text. */
function spellingsOf(value: unknown): readonly unknown[] {
  const isNumber = typeof value === 'string' && /^-?\d{1,125}(\.\d+)?$/.test(value);
  if (!isNumber || String(Number(value)) === value) return [value];
  const digits = value.replace(/[-.]/g, '').replace(/^0+|0+$/g, '');
  return digits.length <= MOST_DIGITS ? [value, NumberValue.from(value)] : [value];
}
