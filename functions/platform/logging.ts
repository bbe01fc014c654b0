import { Logger } from '@aws-lambda-powertools/logger';
import { FerryError } from '../core/errors.ts';
import { hideSecrets, hideUnusualSecrets } from '../core/known-secrets.ts';

/**
 * The log of one function: JSON lines with the id of the request. `appendKeys({ job: … })` puts a
 * field on every later line of the invocation. Events and settings are never logged, and whatever is
 * loses every secret that is known.
 */
export function openLog(service: string): Logger {
  return new Logger({ serviceName: service, jsonReplacerFn: describe });
}

/** For `injectLambdaContext`: fields of one invocation do not reach the next, and events stay out. */
export const LOG_CONTEXT = { resetKeys: true, logEvent: false } as const;

/** Words made for people, and of the cause no more than name and message: the rest may hold settings. */
function describe(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return hideUnusualSecrets(value);
  if (!(value instanceof Error)) return value;
  const { name, message, cause } = value;
  const isOurs = value instanceof FerryError;
  return {
    name,
    message: isOurs ? message : hideSecrets(message),
    ...(isOurs ? { code: value.code, retry: value.retry } : {}),
    ...(cause instanceof Error
      ? { cause: { name: cause.name, message: hideSecrets(cause.message) } }
      : {}),
  };
}
