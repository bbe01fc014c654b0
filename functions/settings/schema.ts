import * as z from 'zod';
import { MOST_DESTINATIONS } from '../core/policy.ts';
import { USER_ID } from '../core/user.ts';
import { DUE_INDEX, SETTINGS_KEY } from './keys.ts';

/**
 * The row that people write. Every message here is what is expected at its place, worded to go into
 * "This is not …" and "Give …".
 */
const BACK_UP = '"everything" or a list of components such as ["html", "mysql"]';
const VERIFY = '"size", "checksum" or "readback"';
const DESTINATIONS = 'a map of at least one destination by name';

export const TOO_MANY_DESTINATIONS = `a map of at most ${MOST_DESTINATIONS} destinations`;

const schedule = z.strictObject(
  {
    cron: z.string('a text such as "@daily" or "30 2 * * *"').default('@daily'),
    timeZone: z.string('a text such as "Europe/Berlin"').default('UTC'),
  },
  'a map with cron and timeZone',
);

const destination = z.strictObject(
  {
    type: z.string('a text such as "ssh" or "s3"'),
    enabled: z.boolean('true or false').default(true),
    verify: z.enum(['size', 'checksum', 'readback'], VERIFY).default('size'),
    settings: z.record(z.string(), z.unknown(), 'a map of settings'),
  },
  'a map with type and settings',
);

const component = z.string(BACK_UP).regex(/^[^/]+$/, 'the name of a component, without a slash');

const spec = z.strictObject(
  {
    v: z.literal(1, 'the number 1'),
    enabled: z.boolean('true or false').default(true),
    schedule: schedule.prefault({}),
    backUp: z
      .union([z.literal('everything'), z.array(component).min(1, BACK_UP)], BACK_UP)
      .default('everything'),
    destinations: z
      .record(z.string(), destination, DESTINATIONS)
      .refine((named) => Object.keys(named).length > 0, DESTINATIONS)
      .refine((named) => Object.keys(named).length <= MOST_DESTINATIONS, TOO_MANY_DESTINATIONS),
  },
  'a map with v and destinations',
);

export const rowSchema = z.strictObject({
  [SETTINGS_KEY]: z
    .string('a text')
    .regex(USER_ID, '1 to 128 letters, digits, ".", "_", "@" and "-", and not dots alone'),
  spec,
  status: z.unknown().optional(),
  [DUE_INDEX.partitionKey]: z.unknown().optional(),
  [DUE_INDEX.sortKey]: z.unknown().optional(),
});

/** The names that people may use at each place; `*` stands for any destination. */
export const KNOWN_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['', [SETTINGS_KEY, 'spec']],
  ['spec', Object.keys(spec.shape)],
  ['spec.schedule', Object.keys(schedule.shape)],
  ['spec.destinations.*', Object.keys(destination.shape)],
]);

const { cron, timeZone } = schedule.shape;

/** As much of a row as can be read, so that a mistake in one place does not hide those in others. */
export const readableRow = z.object({
  spec: z.object({
    schedule: z
      .object({ cron: cron.catch('@daily'), timeZone: timeZone.catch('UTC') })
      .catch({ cron: '@daily', timeZone: 'UTC' }),
    destinations: z.record(z.string(), z.unknown()).catch({}),
  }),
});

export const readableDestination = z.object({
  type: destination.shape.type,
  settings: destination.shape.settings,
});

/** What the pipeline itself wrote; whatever a person made unreadable counts as absent. */
export const marksSchema = z.object({
  spec: z.unknown().optional(),
  status: z
    .object({ specHash: z.string(), problems: z.unknown().optional() })
    .optional()
    .catch(undefined),
  [DUE_INDEX.partitionKey]: z.string().catch(''),
  [DUE_INDEX.sortKey]: z.string().optional().catch(undefined),
});

/** The user and the destinations, as far as anything can be made of them. */
export const writtenRow = z.object({
  [SETTINGS_KEY]: z.string().catch(''),
  spec: z
    .object({ destinations: z.record(z.string(), z.unknown()).catch({}) })
    .catch({ destinations: {} }),
});

export const writtenDestination = z.object({
  type: z.string().catch(''),
  settings: destination.shape.settings,
});

/** A value of a setting that is sealed. */
export const sealedSetting = z.object({ sealed: z.string() });

/** Every field that people write, by its path below `spec`; `<name>` stands for any destination. */
export const SPEC_FIELDS: readonly string[] = [
  ...Object.keys(spec.shape).filter((name) => name !== 'schedule'),
  ...Object.keys(schedule.shape).map((name) => `schedule.${name}`),
  ...Object.keys(destination.shape).map((name) => `destinations.<name>.${name}`),
];
