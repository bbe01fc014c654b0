import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';

/** A server of ours in a process of its own, which can be killed and started again. */
export interface ChildServer {
  /** What it said of itself when it was first ready. */
  readonly told: unknown;
  /** Sends the signal and waits until the process is gone. */
  halt(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

const ready = z.object({ ready: z.unknown() });

/**
 * Forks a module with one argument of JSON and waits for its message `{ ready }`.
 * @param argumentOf from what it said when it was first ready; undefined at its first start
 */
export async function startChildServer(
  module: URL,
  argumentOf: (told: unknown) => object,
): Promise<ChildServer> {
  let child: ChildProcess | undefined;
  const launch = async (told: unknown) => {
    const forked = fork(module, [JSON.stringify(argumentOf(told))], { execArgv: [] });
    child = forked;
    const kill = () => forked.kill('SIGKILL');
    process.once('exit', kill);
    forked.once('exit', () => process.off('exit', kill));
    const ended = once(forked, 'exit').then(([code, signal]) => {
      throw new Error(`${module.pathname} ended with ${signal ?? code}.`);
    });
    ended.catch(() => undefined);
    const [message] = await Promise.race([once(forked, 'message'), ended]);
    return ready.parse(message).ready;
  };
  const told = await launch(undefined);
  return {
    told,
    async halt(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
    async start() {
      await launch(told);
    },
  };
}
