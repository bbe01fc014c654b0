import { CLOCK_SKEW_MS } from '../../functions/core/lease.ts';
import type { Topology } from '../../local/topology.ts';

/** The longest that a message which was given back, or a continuation, is let wait. */
const LONGEST_SECONDS = 2;
/** The least that a deployment may have: parts of 8 MiB then go two at a time. */
const IN_FLIGHT_MIB = 16;
/** They wait for slow lines most of the time; more leave a machine of two cores no time to answer. */
const JOBS_AT_ONCE = 8;

/**
 * Bytes a second of a line that is so slow that a worker begins one part for each of its lanes and then
 * hands over: what it keeps back is a quarter of its time and three times the slowest part.
 */
export function lineFor(functionSeconds: number, bytesAtOnce: number): number {
  return bytesAtOnce / (0.195 * functionSeconds);
}

/**
 * The deployment of the templates, but with seconds in place of a quarter of an hour for an invocation,
 * and of an hour and a half until a message comes back.
 * @param fronts where the workers of the transfer function find DynamoDB and SQS
 */
export function shorten(
  topology: Topology,
  functionSeconds: number,
  fronts: { readonly dynamodb: string; readonly sqs: string },
): Topology {
  const isJobs = (url: string) => url === transferQueue(topology);
  return {
    ...topology,
    queueMappings: topology.queueMappings.map((mapping) => ({
      ...mapping,
      maximumConcurrency: JOBS_AT_ONCE,
    })),
    queues: topology.queues.map((queue) => ({
      ...queue,
      attributes: topology.queueMappings.some(
        ({ queueUrl }) => isJobs(queueUrl) && queueUrl.endsWith(`/${queue.name}`),
      )
        ? { ...queue.attributes, VisibilityTimeout: String(functionSeconds + 1) }
        : queue.attributes,
    })),
    functions: topology.functions.map((definition) =>
      'IN_FLIGHT_MIB' in definition.environment
        ? {
            ...definition,
            timeoutSeconds: functionSeconds,
            environment: {
              ...definition.environment,
              IN_FLIGHT_MIB: String(IN_FLIGHT_MIB),
              AWS_ENDPOINT_URL_DYNAMODB: fronts.dynamodb,
              AWS_ENDPOINT_URL_SQS: fronts.sqs,
            },
          }
        : definition,
    ),
  };
}

function transferQueue({ functions, queueMappings }: Topology): string | undefined {
  const transfer = functions.find(({ environment }) => 'IN_FLIGHT_MIB' in environment);
  return queueMappings.find(({ functionName }) => functionName === transfer?.name)?.queueUrl;
}

/**
 * A lease ends with its worker's time: what is added for clocks that differ is taken off, since there
 * is one clock here. Changes the request in place.
 */
export function shortenLease(body: Buffer): void {
  replace(body, /ADD fence/, /":until":\{"N":"(\d{13})"\}/, (until) =>
    String(Number(until) - CLOCK_SKEW_MS),
  );
}

/** What goes back to the queue or comes after a pause comes soon. Changes the request in place. */
export function shortenDelay(body: Buffer): void {
  const soon = (seconds: string) => String(Math.min(Number(seconds), LONGEST_SECONDS));
  replace(body, /./, /"(?:VisibilityTimeout|DelaySeconds)":(\d+)/, soon);
}

/** Of a request that `only` is in, replaces a number by one that is not longer. */
function replace(
  body: Buffer,
  only: RegExp,
  number: RegExp,
  shorter: (number: string) => string,
): void {
  const text = body.toString('latin1');
  const found = only.test(text) ? number.exec(text) : null;
  const [all, digits] = found ?? [];
  if (!found || all === undefined || digits === undefined) return;
  // Spaces before a number mean nothing in JSON; none are needed within quotes, as the length stays.
  const padded = shorter(digits).padStart(digits.length, ' ');
  body.write(all.replace(digits, padded), found.index, 'latin1');
}
