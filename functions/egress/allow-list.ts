import { parseAllowEntry } from '../core/allow-entry.ts';
import { rangeOf } from './special-addresses.ts';

/** What an operator allows although it is not public. */
export interface AllowList {
  hasAddress(address: string): boolean;
  /** @param name in lower case, without a dot at its end */
  hasName(name: string): boolean;
}

/** @throws Error naming the entry that cannot be read */
export function readAllowList(entries: readonly string[]): AllowList {
  const ranges: ((address: string) => boolean)[] = [];
  const names = new Set<string>();
  const suffixes: string[] = [];
  for (const text of entries) {
    const entry = parseAllowEntry(text);
    switch (entry?.kind) {
      case 'range':
        ranges.push(rangeOf(entry.address, entry.bits));
        break;
      case 'host':
        names.add(entry.name);
        break;
      case 'suffix':
        suffixes.push(entry.suffix);
        break;
      default:
        throw new Error(
          `"${text}" is no range, address, host name or *.suffix that could be allowed.`,
        );
    }
  }
  return {
    hasAddress: (address) => ranges.some((contains) => contains(address)),
    hasName: (name) => names.has(name) || suffixes.some((suffix) => name.endsWith(suffix)),
  };
}
