import { MiB } from '../../core/parts.ts';
import type { Connection } from './connection.ts';

/** A SHA-256 that the server computed itself, and by what. */
export interface RemoteHash {
  /** Lowercase hex. */
  readonly sha256: string;
  readonly tool: string;
}

/** What prints a SHA-256, the hash first on its line. */
interface Tool {
  /** For a person. */
  readonly name: string;
  /** A shell's words before the path. */
  readonly command: string;
}

/** OpenSSL uses what the processor has for it, and takes a third of the time where coreutils do not. */
const FAST: Tool = { name: 'openssl', command: 'openssl dgst -sha256 -r' };

/** GNU and BusyBox; Perl's, on macOS and many others; BSD. */
const COMMON: readonly Tool[] = [
  { name: 'sha256sum', command: 'sha256sum --' },
  { name: 'shasum', command: 'shasum -a 256 --' },
  { name: 'sha256', command: 'sha256 -q --' },
];

/** From here on a file is worth the round trip that it costs where the fast one is missing, in bytes. */
const LARGE = 16 * MiB;

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
  connection: Pick<Connection, 'run'>,
  path: string,
  size: number,
  signal: AbortSignal,
): Promise<RemoteHash | undefined> {
  const timeoutMs = Math.min(AT_MOST_MS, AT_LEAST_MS + (size / SLOWEST) * 1000);
  const tools = size < LARGE ? COMMON : [FAST, ...COMMON];
  for (const { name, command } of tools) {
    const result = await connection.run(`${command} ${quoteForShell(path)}`, timeoutMs, signal);
    // GNU's tool marks a name that it had to escape with a backslash before the hash.
    const sha256 = result?.output.match(/^\\?([0-9a-f]{64})(?:\s|$)/)?.[1];
    if (result?.exitCode === 0 && sha256) return { sha256, tool: name };
    // Any status may mean that the server does not have it, or allows a few commands alone.
    if (result?.exitCode === undefined || result.exitCode === 0) return undefined;
  }
  return undefined;
}

/** One word for a POSIX shell, whatever characters it holds. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
