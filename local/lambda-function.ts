import { type FunctionDefinition, LambdaProcess, type LogListener } from './lambda-process.ts';

/**
 * A deployed function on this machine: as many worker processes as there are events at once, each
 * kept warm for the next event, a dead one replaced.
 */
export class LambdaFunction {
  readonly definition: FunctionDefinition;
  readonly #onLog: LogListener;
  readonly #idle: LambdaProcess[] = [];
  readonly #all = new Set<LambdaProcess>();
  readonly #events = new Map<LambdaProcess, unknown>();
  #stopped = false;

  constructor(definition: FunctionDefinition, onLog: LogListener = () => {}) {
    this.definition = definition;
    this.#onLog = onLog;
  }

  /**
   * Handles one event and gives the handler's answer as JSON carries it.
   * @throws InvocationError
   */
  async invoke(event: unknown): Promise<unknown> {
    if (this.#stopped) throw new Error(`The function ${this.definition.name} was stopped.`);
    const worker = this.#takeIdle() ?? this.#start();
    this.#events.set(worker, event);
    try {
      return await worker.invoke(event);
    } finally {
      this.#events.delete(worker);
      if (worker.alive) this.#idle.push(worker);
      else this.#all.delete(worker);
    }
  }

  /** Kills the workers that handle such an event now; how many these are. */
  kill(isMeant: (event: unknown) => boolean): number {
    const meant = [...this.#events].filter(([worker, event]) => worker.alive && isMeant(event));
    for (const [worker] of meant) worker.kill();
    return meant.length;
  }

  /** Ends every worker, also those at work. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#all].map((worker) => worker.stop()));
  }

  #takeIdle(): LambdaProcess | undefined {
    for (let worker = this.#idle.pop(); worker; worker = this.#idle.pop()) {
      if (worker.alive) return worker;
      this.#all.delete(worker);
    }
    return undefined;
  }

  #start(): LambdaProcess {
    const worker = new LambdaProcess(this.definition, this.#onLog);
    this.#all.add(worker);
    return worker;
  }
}
