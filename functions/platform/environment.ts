import * as z from 'zod';

/**
 * Every environment variable of every function, in one place: `infra` writes what is declared here
 * and the handlers read it back through the same schema.
 */
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const list = z.string().transform((text) => text.split(' ').filter((entry) => entry !== ''));

const variables = z.strictObject({
  /** Name of the settings table. */
  SETTINGS_TABLE: z.string().min(1),
  /** Name of the runs table. */
  RUNS_TABLE: z.string().min(1),
  /** Name of the bucket that the panel stages archives in. */
  STAGING_BUCKET: z.string().min(1),
  /** URL of the job queue. */
  JOBS_QUEUE_URL: z.url(),
  /** The key that seals secrets: id, ARN or alias. */
  SECRETS_KEY: z.string().min(1),
  /** How often the queue delivers a message before it goes to the dead-letter queue. */
  MAX_RECEIVE_COUNT: count(1, 1000),
  /** How many partitions the due index is spread over. */
  DUE_SHARDS: count(1, 256),
  /** Minutes over which runs of the same planned time are spread, by a stable offset for each user. */
  SPREAD_MINUTES: count(0, 720),
  /** Bytes of archives that one worker holds in memory at most, in MiB. */
  IN_FLIGHT_MIB: count(16, 8192),
  /** Addresses, by spaces, that users may name in AWS_IAM_ROLE_ENDPOINT; may be empty. */
  ROLE_ENDPOINTS: list,
});

export const settingsChangedEnvironment = variables.pick({
  SETTINGS_TABLE: true,
  RUNS_TABLE: true,
  SECRETS_KEY: true,
  DUE_SHARDS: true,
  SPREAD_MINUTES: true,
});

export const enqueueDueEnvironment = variables.pick({
  SETTINGS_TABLE: true,
  JOBS_QUEUE_URL: true,
  DUE_SHARDS: true,
  SPREAD_MINUTES: true,
});

export const sweepEnvironment = variables.pick({
  SETTINGS_TABLE: true,
  RUNS_TABLE: true,
  JOBS_QUEUE_URL: true,
});

export const transferEnvironment = variables.pick({
  SETTINGS_TABLE: true,
  RUNS_TABLE: true,
  STAGING_BUCKET: true,
  JOBS_QUEUE_URL: true,
  MAX_RECEIVE_COUNT: true,
  IN_FLIGHT_MIB: true,
  ROLE_ENDPOINTS: true,
});

export const checkEnvironment = variables.pick({
  SETTINGS_TABLE: true,
  RUNS_TABLE: true,
  STAGING_BUCKET: true,
  ROLE_ENDPOINTS: true,
});

/** The variables that `schema` names, out of `process.env`; throws with the name of each that is missing. */
export function readEnvironment<Schema extends z.ZodObject>(schema: Schema): z.output<Schema> {
  const names = Object.keys(schema.shape);
  const given = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Error(`The function's environment is not usable.\n${z.prettifyError(parsed.error)}`);
}
