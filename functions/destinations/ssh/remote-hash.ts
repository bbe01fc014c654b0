import { MiB } from '../../core/parts.ts';
import type { Connection } from './connection.ts';

/** A SHA-256 that the server computed itself, and by what. */
export interface RemoteHash {
  /** Lowercase hex. */
  readonly sha256: string;
  readonly tool: string;
}

/** GNU and BusyBox; Perl's, on macOS and many others; BSD. Each prints the hash first on its line. */
const TOOLS = ['sha256sum --', 'shasum -a 256 --', 'sha256 -q --'];

const NOT_FOUND = 127;

/** A slow disk with slow hashing, in bytes a second. */
const SLOWEST = 40 * MiB;
const AT_LEAST_MS = 30_000;
/** Leaves an invocation of fifteen minutes room for the rest; a file above 12 GB may go without. */
const AT_MOST_MS = 5 * 60_000;

/**
 * Asks the server for the SHA-256 of one of its files. Undefined where it runs no commands, has none
 * of the tools, takes too long or answers with anything but a hash.
 * @param size bytes of the file
 */
export async function hashOnServer(
  connection: Connection,
  path: string,
  size: number,
  signal: AbortSignal,
): Promise<RemoteHash | undefined> {
  const timeoutMs = Math.min(AT_MOST_MS, AT_LEAST_MS + (size / SLOWEST) * 1000);
  for (const tool of TOOLS) {
    const result = await connection.run(`${tool} ${quoteForShell(path)}`, timeoutMs, signal);
    // GNU's tool marks a name that it had to escape with a backslash before the hash.
    const sha256 = result?.output.match(/^\\?([0-9a-f]{64})(?:\s|$)/)?.[1];
    if (result?.exitCode === 0 && sha256) return { sha256, tool: tool.split(' ')[0] ?? tool };
    if (result?.exitCode !== NOT_FOUND) return undefined;
  }
  return undefined;
}

/** One word for a POSIX shell, whatever characters it holds. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
