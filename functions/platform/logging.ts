import { Logger } from '@aws-lambda-powertools/logger';
import { FerryError } from '../core/errors.ts';

/**
 * The log of one function: JSON lines with the id of the request. `appendKeys({ job: … })` puts a
 * field on every later line of the invocation. Events and settings are never logged.
 */
export function openLog(service: string): Logger {
  return new Logger({ serviceName: service, jsonReplacerFn: describeError });
}

/** For `injectLambdaContext`: fields of one invocation do not reach the next, and events stay out. */
export const LOG_CONTEXT = { resetKeys: true, logEvent: false } as const;

/** Words made for people, and of the cause no more than name and message: the rest may hold settings. */
function describeError(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, cause } = value;
  return {
    name,
    message,
    ...(value instanceof FerryError ? { code: value.code, retry: value.retry } : {}),
    ...(cause instanceof Error ? { cause: { name: cause.name, message: cause.message } } : {}),
  };
}
