import type * as z from 'zod';

/** What docs/settings.md says of one setting. */
export interface SettingReference {
  /** What it is, or the unit of its number. */
  readonly kind: string;
  /** What counts without it; `required` where it has to be given. */
  readonly default: string;
  /** As it may stand in a row. */
  readonly example: string | number | boolean;
  readonly meaning: string;
}

/** The lines of a type's settings, one for each that its schema has. */
export type References<Schema extends z.ZodObject> = Readonly<
  Record<keyof Schema['shape'], SettingReference>
>;

/** A setting that takes any certificate. */
export const INSECURE = {
  kind: 'switch',
  default: '`false`',
  example: true,
  meaning: 'takes any certificate, where the operator allows it',
} as const;

/** A setting that takes certificates. */
export const AUTHORITY = {
  kind: 'PEM',
  default: 'none',
  example: '.ferry/ca.pem',
  meaning:
    'certificates to trust besides the public ones: their text, or the path of a staged file',
} as const;
