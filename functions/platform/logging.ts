import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import type { MiddlewareObj } from '@middy/core';
import { FerryError } from '../core/errors.ts';
import { hideSecrets, hideUnusualSecrets } from '../core/known-secrets.ts';
import { sourcePlaces } from './source-places.ts';

/**
 * The log of one function: JSON lines with the id of the request. `appendKeys({ job: … })` puts a
 * field on every later line of the invocation. Events and settings are never logged, and whatever is
 * loses every secret that is known.
 */
export function openLog(service: string): Logger {
  return new Logger({ serviceName: service, jsonReplacerFn: describe });
}

/**
 * Middleware of every function: fields of one invocation do not reach the next, events stay out, and an
 * invocation that fails is told with the places in the source, which Lambda's own line does not have.
 */
export function logInvocations(log: Logger): MiddlewareObj[] {
  return [
    injectLambdaContext(log, { resetKeys: true, logEvent: false }),
    { onError: ({ error }) => log.error('invocation failed', { error }) },
  ];
}

/**
 * Words made for people, and of the cause no more than name and message: the rest may hold settings.
 * Of what nobody foresaw also where it came from.
 */
function describe(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return hideUnusualSecrets(value);
  if (!(value instanceof Error)) return value;
  if (!(value instanceof FerryError)) return unforeseen(value);
  const { name, message, code, retry, cause } = value;
  if (!(cause instanceof Error)) return { name, message, code, retry };
  const told = code === 'internal' ? unforeseen(cause) : named(cause);
  return { name, message, code, retry, cause: told };
}

function unforeseen(error: Error): object {
  return { ...named(error), at: sourcePlaces(error).map(hideSecrets) };
}

function named({ name, message }: Error): object {
  return { name, message: hideSecrets(message) };
}
