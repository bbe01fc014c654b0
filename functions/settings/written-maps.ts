import * as z from 'zod';
import type { RowPath, WrittenMap } from '../core/user.ts';
import { writtenDestination } from './schema.ts';

/** What the pipeline writes into `status` as a whole, so that nothing of anybody else lasts there. */
const VERDICT: readonly string[] = [
  'v',
  'specHash',
  'state',
  'problems',
  'checkedAt',
  'nextRun',
  'askedAt',
];

type Home = Omit<WrittenMap, 'path' | 'values'>;

const NOWHERE: Home = { destination: '', type: '', settings: {} };
const anyMap = z.record(z.string(), z.unknown());

/**
 * Every map of an item that people can write, outer ones first; of the destinations by name those alone
 * that have no settings, since the others are what their name says.
 */
export function writtenMaps(item: unknown): readonly WrittenMap[] {
  return mapsBelow(item, [], NOWHERE);
}

/** Whether the settings of a destination stand there. */
export function isSettings(path: RowPath): boolean {
  const [, , destination, field] = path;
  if (path.length !== 4 || field !== 'settings' || typeof destination !== 'string') return false;
  return isDestinations(path.slice(0, 2));
}

function mapsBelow(value: unknown, path: RowPath, around: Home): readonly WrittenMap[] {
  if (Array.isArray(value)) {
    return value.flatMap((each, at) => mapsBelow(each, [...path, at], around));
  }
  const map = anyMap.safeParse(value).data;
  if (!map) return [];
  const home = homeOf(path, map) ?? around;
  const entries = Object.entries(map).filter(([name]) => !isVerdict(path, name));
  const values = entries.filter(([, each]) => !isDestinations(path) || !hasSettings(each));
  return [
    { ...home, path, values: Object.fromEntries(values) },
    ...entries.flatMap(([name, each]) => mapsBelow(each, [...path, name], home)),
  ];
}

/** The destination that stands there, if one does. */
function homeOf(path: RowPath, map: Readonly<Record<string, unknown>>): Home | undefined {
  const [, , destination] = path;
  if (path.length !== 3 || typeof destination !== 'string') return undefined;
  if (!isDestinations(path.slice(0, 2))) return undefined;
  return { ...NOWHERE, ...writtenDestination.safeParse(map).data, destination };
}

function isDestinations(path: RowPath): boolean {
  return path.length === 2 && path[0] === 'spec' && path[1] === 'destinations';
}

function hasSettings(value: unknown): boolean {
  return writtenDestination.safeParse(value).success;
}

function isVerdict(path: RowPath, name: string): boolean {
  return path.length === 1 && path[0] === 'status' && VERDICT.includes(name);
}
