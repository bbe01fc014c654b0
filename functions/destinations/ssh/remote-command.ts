import type { Client } from 'ssh2';

/** What a command on the server printed and how it ended. */
export interface CommandResult {
  /** Undefined when the server did not say, e.g. after a signal. */
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** More than any answer we look for. */
const MOST_OUTPUT = 16 * 1024;

/**
 * Runs a shell command over a connection, with nothing on its standard input. Many servers run none
 * and some run something else instead (`ForceCommand internal-sftp`), so the output proves nothing by
 * itself. Undefined where the server refused, the connection ended or time ran out.
 */
export function runCommand(
  ssh: Client,
  command: string,
  timeoutMs: number,
): Promise<CommandResult | undefined> {
  return new Promise((resolve) => {
    let close = () => {};
    // From here on: a server may also leave the wish for a channel unanswered.
    const late = setTimeout(() => {
      close();
      resolve(undefined);
    }, timeoutMs);
    const end = (result: CommandResult | undefined) => {
      clearTimeout(late);
      resolve(result);
    };
    try {
      ssh.exec(command, (refused, channel) => {
        if (refused) {
          end(undefined);
          return;
        }
        close = () => channel.close();
        let exitCode: number | undefined;
        let output = '';
        channel.on('error', () => {});
        channel.on('data', (bytes: Buffer) => {
          if (output.length < MOST_OUTPUT) output += bytes.toString('utf8');
        });
        channel.stderr.resume();
        channel.on('exit', (code: number | null) => {
          exitCode = code ?? undefined;
        });
        channel.on('close', () => {
          end({ exitCode, output });
        });
        channel.end();
      });
    } catch {
      end(undefined);
    }
  });
}
