import { formatBytes, formatRate, formatSeconds } from './measures.ts';

/** One archive at one destination, as the end of a run tells it. */
export interface DeliveryResult {
  readonly user: string;
  readonly destination: string;
  readonly type: string;
  /** `<component>/<file>`. */
  readonly archive: string;
  readonly bytes: number;
  readonly sha256: string;
  /** How long the transfer took by its own account; 0 for one that never ended. */
  readonly seconds: number;
  readonly verified: boolean;
  /** Why it is not verified. */
  readonly why?: string;
}

const HEADINGS = ['user', 'destination', 'archive', 'size', 'time', 'rate', 'verified'];
const RIGHT_ALIGNED = new Set([3, 4, 5]);

/** The results as a table for people, the reasons of what failed below it. */
export function formatTable(results: readonly DeliveryResult[]): string {
  const rows = results.map((result) => [
    result.user,
    `${result.destination} (${result.type})`,
    result.archive,
    formatBytes(result.bytes),
    result.verified ? formatSeconds(result.seconds) : '-',
    result.verified && result.seconds > 0 ? formatRate(result.bytes / result.seconds) : '-',
    result.verified ? 'yes, SHA-256' : 'NO',
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(...[HEADINGS, ...rows].map((row) => [...(row[column] ?? heading)].length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - [...cell].length);
        return RIGHT_ALIGNED.has(column) ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  const failures = results.filter((result) => !result.verified);
  return [
    line(HEADINGS),
    line(widths.map((width) => '-'.repeat(width))),
    ...rows.map(line),
    ...failures.map(
      ({ user, destination, archive, why }) => `\n${user}, ${destination}, ${archive}: ${why}`,
    ),
  ].join('\n');
}

/** The results as one line of JSON. */
export function formatJson(results: readonly DeliveryResult[]): string {
  const deliveries = results.map(
    ({ user, destination, type, archive, bytes, sha256, seconds, verified }) => ({
      user,
      destination,
      type,
      archive,
      bytes,
      sha256,
      seconds,
      verified,
    }),
  );
  return JSON.stringify({ deliveries, failed: results.filter(({ verified }) => !verified).length });
}
