import { markdownTable } from '../docs/markdown-table.ts';
import type { Doing, Profile } from './profile.ts';

const COLUMNS: readonly (readonly [head: string, Doing])[] = [
  ['hashes', 'hashing'],
  ['encryption', 'encryption'],
  ['sockets', 'sockets'],
  ['garbage', 'garbage'],
  ["Node's own", 'node'],
  ['Ferry and libraries', 'bundle'],
  ['idle', 'idle'],
];

/** Where the time of a worker's main thread goes, a line a type, in ms a GiB, as Markdown. */
export function describeProfiles(profiles: readonly Profile[]): string {
  if (profiles.length === 0) return '';
  const lines = profiles
    .toSorted((one, other) => one.type.localeCompare(other.type))
    .map((one) => [
      one.type,
      ...COLUMNS.map(([, doing]) => ((one[doing] * 1024) / one.sizeMiB).toFixed(0)),
    ]);
  return `${markdownTable(['type', ...COLUMNS.map(([head]) => head)], lines)}\n`;
}
