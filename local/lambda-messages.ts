import { z } from 'zod';

/** What crosses the channel between a worker process and the process that runs it. */

/** One event to be handled. */
export const invocation = z.object({
  requestId: z.string(),
  event: z.unknown(),
  /** When the function's time is up, epoch milliseconds. */
  deadline: z.number(),
});
export type Invocation = z.infer<typeof invocation>;

export const workerMessage = z.discriminatedUnion('type', [
  /** The bundle is loaded. */
  z.object({ type: z.literal('ready') }),
  /** A handler that returns nothing answers null, as on Lambda. */
  z.object({ type: z.literal('succeeded'), requestId: z.string(), response: z.unknown() }),
  z.object({
    type: z.literal('failed'),
    requestId: z.string(),
    errorType: z.string(),
    errorMessage: z.string(),
  }),
]);
export type WorkerMessage = z.infer<typeof workerMessage>;

/**
 * The line that Lambda itself writes to a function's log after each invocation, in the JSON format.
 * Here it also marks the place up to which the log belongs to this invocation.
 * https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
 */
export const platformReport = z.object({
  type: z.literal('platform.report'),
  record: z.object({
    requestId: z.string(),
    metrics: z.object({
      durationMs: z.number(),
      memorySizeMB: z.number(),
      /** Highest resident memory of the process since it started. */
      maxMemoryUsedMB: z.number(),
      /** CPU time of the process since it started, user and system; Lambda tells none. */
      cpuMs: z.number(),
    }),
  }),
});
export type PlatformReport = z.infer<typeof platformReport>;
