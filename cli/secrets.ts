import { z } from 'zod';
import { bare, destinationTypes, findReadableSecrets } from '../functions/destinations/registry.ts';
import { openSealer } from '../functions/secrets/sealing.ts';
import { KNOWN_NAMES } from '../functions/settings/schema.ts';
import { Failure } from './failure.ts';
import type { Ferry } from './ferry.ts';

const sealed = z.object({ sealed: z.string() });
const spec = z.looseObject({ destinations: z.record(z.string(), z.unknown()) });
const withSettings = z.looseObject({
  type: z.string(),
  settings: z.record(z.string(), z.unknown()),
});

/** Where a value of settings stands. */
export interface Place {
  readonly destination: string;
  readonly type: string;
  readonly name: string;
}

/** What may be shown of a setting. */
export type Visibility = 'plain' | 'secret' | 'sealed' | 'unknown';

/** What a setting may be shown as; one that its type does not know may hold anything. */
export function visibilityOf({ type, name }: Place, value: unknown): Visibility {
  if (sealed.safeParse(value).success) return 'sealed';
  const known = destinationTypes.find((each) => each.type === type)?.settings ?? [];
  const readable = findReadableSecrets(type, { [name]: value });
  if (readable.some((secret) => secret.name === name)) return 'secret';
  return known.includes(name.replace(/_FILE$/, '')) || known.includes(name) ? 'plain' : 'unknown';
}

/** Behind the name of what stands beside the settings of a destination. */
const BESIDE = ' beside settings';

const settingIn = ({ name }: Place) => bare(name.replace(BESIDE, ''));

/** What stands beside the settings of a destination and is no setting. */
const FIELDS = ['type', 'enabled', 'verify', 'settings'];

/**
 * Settings with each value of a destination's settings put through `change`, and so is whatever stands
 * where it does not belong or cannot be read, as a value of no known name; the rest as it is.
 */
export function mapSettings(
  given: unknown,
  change: (place: Place, value: unknown) => unknown,
): unknown {
  const parsed = spec.safeParse(given);
  if (!parsed.success) return change({ destination: '', type: '', name: 'all of it' }, given);
  const destinations = Object.entries(parsed.data.destinations).map(([destination, place]) => {
    const read = withSettings.safeParse(place);
    if (!read.success) {
      return [destination, change({ destination, type: '', name: 'all of it' }, place)];
    }
    const { settings, type, ...beside } = read.data;
    const around = Object.entries(beside).map(([name, value]) => [
      name,
      FIELDS.includes(name)
        ? value
        : change({ destination, type, name: `${name}${BESIDE}` }, value),
    ]);
    const changed = Object.entries(settings).map(([name, value]) => [
      name,
      change({ destination, type, name }, value),
    ]);
    const rest = Object.fromEntries(around);
    return [destination, { type, ...rest, settings: Object.fromEntries(changed) }];
  });
  const { destinations: _these, ...beside } = parsed.data;
  const around = Object.entries(beside).map(([name, value]) => [
    name,
    isPlainField(name, value)
      ? value
      : change({ destination: '', type: '', name: `${name} beside destinations` }, value),
  ]);
  return { ...Object.fromEntries(around), destinations: Object.fromEntries(destinations) };
}

/** Whether a field of `spec` is one, and holds nothing but what is known there. */
function isPlainField(name: string, value: unknown): boolean {
  if (!KNOWN_NAMES.get('spec')?.includes(name)) return false;
  const known = KNOWN_NAMES.get(`spec.${name}`) ?? [];
  const isScalar = (each: unknown) => typeof each !== 'object' || each === null;
  if (isScalar(value)) return !MARKERS.some((marker) => marker === value);
  const isKnown = (key: string) => Array.isArray(value) || known.includes(key);
  return Object.entries(Object(value)).every(([key, each]) => isKnown(key) && isScalar(each));
}

/** Settings as they may be shown to anybody who may use this command line. */
export function hideSecrets(given: unknown): unknown {
  return mapSettings(given, (place, value) => SHOWN_AS[visibilityOf(place, value)] ?? value);
}

const SHOWN_AS: Readonly<Record<Visibility, string | undefined>> = {
  plain: undefined,
  sealed: '(sealed)',
  secret: '(secret, not sealed yet)',
  unknown: '(not shown: this is no known setting)',
};
const MARKERS = Object.values(SHOWN_AS).filter((marker) => marker !== undefined);

/**
 * Settings as they were edited, with what stands for a secret replaced by that secret.
 * @throws Failure where it stands at a place at which there was none
 */
export function keepHidden(edited: unknown, seen: unknown): unknown {
  const kept = new Map<string, { readonly place: Place; readonly value: unknown }>();
  mapSettings(seen, (place, value) => {
    const isHidden = SHOWN_AS[visibilityOf(place, value)] !== undefined;
    if (isHidden) kept.set(idOf(place), { place, value });
    return value;
  });
  /** A sealed one that stood in a wrong place of the same destination, or under its name in other letters. */
  const putRight = (to: Place) => {
    const [found, ...others] = [...kept.values()].filter(
      ({ place, value }) =>
        place.destination === to.destination &&
        settingIn(place) === settingIn(to) &&
        visibilityOf(place, value) === 'sealed',
    );
    return others.length === 0 ? found : undefined;
  };
  return mapSettings(edited, (place, value) => {
    if (typeof value !== 'string' || !MARKERS.includes(value)) return value;
    const found =
      kept.get(idOf(place)) ?? (value === SHOWN_AS.sealed ? putRight(place) : undefined);
    if (found) return found.value;
    throw new Failure(
      `${place.name} of "${place.destination}" is not what stood there: a secret stays only at its place. Enter it again.`,
    );
  });
}

/**
 * Seals every secret that can be read, so that none is ever written as it was typed. Only Ferry itself
 * opens it again.
 * @throws Failure where there is what stands for a secret that is not shown
 */
export async function sealSecrets(ferry: Ferry, userId: string, given: unknown): Promise<unknown> {
  // What was shown in place of a secret is none.
  keepHidden(given, undefined);
  const { seal } = openSealer(ferry.kms, ferry.outputs.SecretsKeyArn);
  const sealing: Promise<unknown>[] = [];
  const found = new Map<string, { readonly sealed: string }>();
  mapSettings(given, (place, value) => {
    const { destination, name, type } = place;
    const [secret] = findReadableSecrets(type, { [name]: value });
    if (secret === undefined) return value;
    const work = seal({ userId, destination }, secret.setting, secret.text.reveal());
    sealing.push(work.then((text) => found.set(idOf(place), { sealed: text })));
    return value;
  });
  await Promise.all(sealing);
  return mapSettings(given, (place, value) => found.get(idOf(place)) ?? value);
}

function idOf({ destination, name }: Place): string {
  return JSON.stringify([destination, name]);
}

/** Settings of one destination with every secret sealed that can be read. */
export async function sealSettings(
  ferry: Ferry,
  { userId, destination }: { readonly userId: string; readonly destination: string },
  type: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const sealed = await sealSecrets(ferry, userId, {
    destinations: { [destination]: { type, settings } },
  });
  return withSettings.parse(spec.parse(sealed).destinations[destination]).settings;
}
