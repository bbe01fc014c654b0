import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { platformReport, type WorkerMessage, workerMessage } from './lambda-messages.ts';

/** A function as the template describes it. */
export interface FunctionDefinition {
  readonly name: string;
  readonly arn: string;
  /** The bundle's file; its folder becomes the working directory. */
  readonly bundle: string;
  /** `<file>.<export>`, as Lambda spells it. */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly region: string;
  /** What the process gets beside Lambda's own variables: nothing is inherited from this machine. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Why an invocation gave no answer. */
export class InvocationError extends Error {
  override readonly name = 'InvocationError';
  /** `thrown` by the handler, stopped at its `timeout`, or the process `crashed`. */
  readonly kind: 'thrown' | 'timeout' | 'crashed';

  constructor(kind: InvocationError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Gets every line that a worker writes. */
export type LogListener = (line: string, requestId: string) => void;

const WORKER = new URL('./lambda-worker.ts', import.meta.url);

/**
 * One warm execution environment: a process that handles one event at a time. It ends for good when
 * the handler runs into the function's timeout (SIGKILL, as on Lambda), when it crashes, or on `stop`.
 */
export class LambdaProcess {
  readonly #definition: FunctionDefinition;
  readonly #onLog: LogListener;
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #closed: Promise<void>;
  #current: { requestId: string; settle: (outcome: Outcome) => void } | undefined;
  /** The handler's answer, held back until the log has been read up to the invocation's end. */
  #answer: Outcome | undefined;
  #loggedUpTo: string | undefined;
  #timedOut = false;

  /** @param worker what runs in the process: `lambda-worker.ts`, or what was made of it */
  constructor(definition: FunctionDefinition, onLog: LogListener, worker: URL = WORKER) {
    this.#definition = definition;
    this.#onLog = onLog;
    this.#child = fork(worker, [definition.bundle, definition.arn], {
      cwd: dirname(definition.bundle),
      env: { ...lambdaEnvironment(definition), ...definition.environment },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#closed = new Promise((resolve) => this.#child.once('close', () => resolve()));
    this.#ready.promise.catch(() => {});
    this.#child.on('message', (message) => this.#receive(workerMessage.parse(message)));
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', (code, signal) =>
      this.#end(signal ? `killed by ${signal}` : `exit code ${code}`),
    );
    this.#readLines(this.#child.stdout);
    this.#readLines(this.#child.stderr);
  }

  /** False once the process has ended or is about to. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && !this.#child.killed;
  }

  /**
   * Handles one event; never call it again before the promise settles.
   * @throws InvocationError
   */
  async invoke(event: unknown): Promise<unknown> {
    await this.#ready.promise;
    const requestId = randomUUID();
    const timeoutMs = this.#definition.timeoutSeconds * 1000;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#answer = undefined;
    this.#current = { requestId, settle: resolve };
    const timer = setTimeout(() => {
      this.#timedOut = true;
      this.#child.kill('SIGKILL');
    }, timeoutMs);
    try {
      this.#child.send({ requestId, event, deadline: Date.now() + timeoutMs });
      const outcome = await promise;
      if (outcome.error) throw outcome.error;
      return outcome.response;
    } finally {
      clearTimeout(timer);
      this.#current = undefined;
    }
  }

  /** Ends the process at once, whatever it does, as when its machine is lost. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends the process at once; resolves when it is gone and its log is read. */
  async stop(): Promise<void> {
    this.kill();
    await this.#closed;
  }

  #receive(message: WorkerMessage): void {
    if (message.type === 'ready') this.#ready.resolve();
    else if (message.type === 'succeeded') this.#answer = { response: message.response };
    else {
      const text = `${message.errorType}: ${message.errorMessage}`;
      this.#answer = { error: new InvocationError('thrown', text) };
    }
    this.#settleWhenLogged();
  }

  #settleWhenLogged(): void {
    if (this.#answer && this.#current && this.#loggedUpTo === this.#current.requestId) {
      this.#current.settle(this.#answer);
    }
  }

  #end(how: string): void {
    const error = this.#timedOut
      ? new InvocationError(
          'timeout',
          `Task timed out after ${this.#definition.timeoutSeconds} seconds`,
        )
      : new InvocationError(
          'crashed',
          `The worker process of ${this.#definition.name} ended: ${how}`,
        );
    this.#ready.reject(error);
    this.#current?.settle({ error });
  }

  #readLines(stream: Readable | null): void {
    if (!stream) return;
    createInterface({ input: stream }).on('line', (line) => {
      if (line === '') return;
      this.#onLog(line, this.#current?.requestId ?? '');
      const requestId = reportedRequest(line);
      if (requestId) {
        this.#loggedUpTo = requestId;
        this.#settleWhenLogged();
      }
    });
  }
}

/**
 * The variables that Lambda sets for every function.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
function lambdaEnvironment(definition: FunctionDefinition): Record<string, string> {
  return {
    _HANDLER: definition.handler,
    AWS_REGION: definition.region,
    AWS_DEFAULT_REGION: definition.region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMiB),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: 'JSON',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${definition.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: randomUUID(),
    LAMBDA_TASK_ROOT: dirname(definition.bundle),
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: ':UTC',
  };
}

interface Outcome {
  readonly response?: unknown;
  readonly error?: InvocationError;
}

function reportedRequest(line: string): string | undefined {
  if (!line.includes('platform.report')) return undefined;
  try {
    return platformReport.parse(JSON.parse(line)).record.requestId;
  } catch {
    return undefined;
  }
}
