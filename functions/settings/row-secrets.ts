import * as z from 'zod';
import type { Problem } from '../core/problem.ts';
import { isSealedFor, readEnvelope } from '../core/sealed.ts';
import type { Sealing, WrittenSettings } from '../core/user.ts';
import { sealedSetting, writtenDestination, writtenRow } from './schema.ts';

/** The settings of each destination of an item, whatever else is wrong with it. */
export function writtenSettings(item: unknown): ReadonlyMap<string, WrittenSettings> {
  const named = Object.entries(writtenRow.safeParse(item).data?.spec.destinations ?? {});
  return new Map(
    named.flatMap(([name, given]) => {
      const { data } = writtenDestination.safeParse(given);
      return data ? [[name, data] as const] : [];
    }),
  );
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
  return sealings.reduce(
    (copy, { destination, setting, value }) =>
      putAt(copy, ['spec', 'destinations', destination, 'settings', setting], value),
    item,
  );
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

function putAt(into: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof into !== 'object' || into === null) return into;
  return { ...into, [step]: putAt(Reflect.get(into, step), rest, value) };
}
