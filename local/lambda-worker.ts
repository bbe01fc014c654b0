/**
 * What runs inside a worker process: loads the bundle that is deployed, then handles the events that
 * the parent sends, one after the other. Started by `lambda-process.ts` only.
 */
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import { z } from 'zod';
import {
  type Invocation,
  invocation,
  type PlatformReport,
  type WorkerMessage,
} from './lambda-messages.ts';

const environment = z
  .object({
    _HANDLER: z.string(),
    AWS_LAMBDA_FUNCTION_NAME: z.string(),
    AWS_LAMBDA_FUNCTION_VERSION: z.string(),
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: z.string(),
    AWS_LAMBDA_LOG_GROUP_NAME: z.string(),
    AWS_LAMBDA_LOG_STREAM_NAME: z.string(),
  })
  .parse(process.env);
const [bundle, functionArn] = z.tuple([z.string(), z.string()]).parse(process.argv.slice(2));

const handlerFunction = z.custom<(event: unknown, context: Context) => unknown>(
  (value) => typeof value === 'function',
  { error: `The bundle exports no function for ${environment._HANDLER}.` },
);

function makeContext({ requestId, deadline }: Invocation): Context {
  return {
    awsRequestId: requestId,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: functionArn,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: refuseCallback,
    fail: refuseCallback,
    succeed: refuseCallback,
  };
}

function refuseCallback(): never {
  throw new Error('Node 24 on Lambda has no callbacks: return a promise.');
}

function send(message: WorkerMessage): void {
  process.send?.(message);
}

/** Writes to a pipe are synchronous, so this line comes after everything that the handler logged. */
function report(requestId: string, startedAt: number): void {
  const line: PlatformReport = {
    type: 'platform.report',
    record: {
      requestId,
      metrics: {
        durationMs: Date.now() - startedAt,
        memorySizeMB: Number(environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
        maxMemoryUsedMB: peakMemoryMiB(),
        cpuMs: cpuTimeMs(),
      },
    },
  };
  process.stdout.write(`\n${JSON.stringify(line)}\n`);
}

// Lambda keeps one log for both streams, so that their lines stay in order.
process.stderr.write = process.stdout.write.bind(process.stdout);
// Ctrl-C in a terminal reaches every process of the group; the parent decides when a worker ends.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));

const module = z
  .record(z.string(), z.unknown())
  .parse({ ...(await import(pathToFileURL(bundle).href)) });
const exportName = environment._HANDLER.split('.').at(-1) ?? '';
const handler = handlerFunction.parse(module[exportName]);

process.on('message', async (message) => {
  const invoked = invocation.parse(message);
  const { requestId } = invoked;
  const startedAt = Date.now();
  try {
    const response: unknown = await handler(invoked.event, makeContext(invoked));
    report(requestId, startedAt);
    send({ type: 'succeeded', requestId, response: response ?? null });
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    report(requestId, startedAt);
    send({ type: 'failed', requestId, errorType: error.name, errorMessage: error.message });
  }
});
send({ type: 'ready' });

/**
 * Highest resident memory of this process, in MiB. Linux' own counter is asked where there is one,
 * since `resourceUsage` begins with that of the process which forked this one (getrusage(2)).
 */
function peakMemoryMiB(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const [, kib = process.resourceUsage().maxRSS] = status.match(/^VmHWM:\s+(\d+) kB$/m) ?? [];
  return Math.ceil(Number(kib) / 1024);
}

function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
