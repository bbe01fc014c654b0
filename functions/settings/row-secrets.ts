import * as z from 'zod';
import type { Problem } from '../core/problem.ts';
import { isSealedFor, readEnvelope } from '../core/sealed.ts';
import type { RowPath, Sealing } from '../core/user.ts';
import { sealedSetting, writtenRow } from './schema.ts';
import { isSettings, writtenMaps } from './written-maps.ts';

/** The names of the destinations of an item, whatever else is wrong with it. */
export function namedDestinations(item: unknown): ReadonlySet<string> {
  return new Set(Object.keys(writtenRow.safeParse(item).data?.spec.destinations ?? {}));
}

const wholeRow = z.object({
  userId: z.string(),
  spec: z.looseObject({ destinations: z.record(z.string(), z.unknown()) }),
});

/** What people wrote into an item, with one destination of several. */
export function onlyDestination(item: unknown, destination: string): unknown {
  const { userId, spec } = wholeRow.parse(item);
  const named = Object.entries(spec.destinations).filter(([name]) => name === destination);
  return { userId, spec: { ...spec, destinations: Object.fromEntries(named) } };
}

/** A copy of an item with sealed secrets in their places. */
export function putSealings(item: unknown, sealings: readonly Sealing[]): unknown {
  return sealings.reduce((copy, { path, value }) => putAt(copy, path, value), item);
}

/** Sealed secrets that are no setting of a destination, in what people write. */
export function straySecrets(item: unknown): readonly Problem[] {
  return writtenMaps(item).flatMap(({ path, values, destination }) => {
    if (path[0] === 'status' || isSettings(path)) return [];
    const sealed = Object.entries(values).filter(([, value]) => isEnvelope(value));
    return sealed.map(([name]) => ({
      path: [...path, name].join('.'),
      problem: 'A secret stands here, where none belongs; it was made unreadable.',
      remedy:
        destination === ''
          ? 'Enter it again, in the settings of its destination, and remove it here.'
          : `Put it under its name into spec.destinations.${destination}.settings, as it is or entered again, and remove it here.`,
    }));
  });
}

/** Secrets that say of themselves that they were sealed for somebody or something else. */
export function misplacedSecrets(
  item: unknown,
  destination: string,
  settings: Readonly<Record<string, unknown>>,
): readonly Problem[] {
  const userId = writtenRow.safeParse(item).data?.userId ?? '';
  return Object.entries(settings).flatMap(([name, value]) => {
    const { data } = sealedSetting.safeParse(value);
    const envelope = data && readEnvelope(data.sealed);
    if (!envelope || isSealedFor(envelope, { userId, destination }, name)) return [];
    return [
      {
        path: `spec.destinations.${destination}.settings.${name}`,
        problem: 'This was sealed for another user, destination or setting.',
        remedy: 'Enter the secret again.',
      },
    ];
  });
}

function isEnvelope(value: unknown): boolean {
  const { data } = sealedSetting.safeParse(value);
  return data !== undefined && readEnvelope(data.sealed) !== undefined;
}

function putAt(into: unknown, [step, ...rest]: RowPath, value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(into)) {
    return into.map((each, at) => (at === step ? putAt(each, rest, value) : each));
  }
  if (typeof into !== 'object' || into === null) return into;
  return { ...into, [step]: putAt(Reflect.get(into, step), rest, value) };
}
