import { distance } from 'fastest-levenshtein';
import { destinationTypes } from '../../functions/destinations/registry.ts';
import type { EnvFile, Variable } from './env-file.ts';
import type { ReadNamed } from './files.ts';
import { whyNotCarried } from './not-carried.ts';
import { carrySchedule } from './schedule.ts';

/** Something that did not come over, or not as it was. */
export interface Note {
  /** The setting; absent for a line that is none. */
  readonly name?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
  /** Why, and what to do instead; without the value. */
  readonly note: string;
}

export interface CarriedOver {
  readonly spec: {
    readonly v: 1;
    readonly enabled?: false;
    readonly schedule?: { readonly cron: string; readonly timeZone: string };
    readonly destinations: Readonly<Record<string, { type: string; settings: object }>>;
  };
  readonly notes: readonly Note[];
}

/** The setting that switches a destination on in docker-volume-backup; any one of several. */
const MARKERS: Readonly<Record<string, readonly string[]>> = {
  azure: ['AZURE_STORAGE_ACCOUNT_NAME', 'AZURE_STORAGE_CONNECTION_STRING'],
  dropbox: ['DROPBOX_REFRESH_TOKEN'],
  s3: ['AWS_S3_BUCKET_NAME'],
  ssh: ['SSH_HOST_NAME'],
  webdav: ['WEBDAV_URL'],
};
const SCHEDULE = ['BACKUP_CRON_EXPRESSION', 'TZ'];
const SUFFIX = '_FILE';
/** So few letters apart, one name is the other misspelt. */
const MISSPELT = 3;

/**
 * Makes settings of Ferry out of those of docker-volume-backup. Each type that is switched on becomes
 * a destination of its type's name.
 * @param readNamed the text of a file that a setting names
 */
export async function carryOver(file: EnvFile, readNamed: ReadNamed): Promise<CarriedOver> {
  const notes: Note[] = file.unreadable.map(({ line, why }) => ({
    line,
    note: `${why} It was left out.`,
  }));
  const given = lastOnes(file.variables, notes);
  for (const { line, mayExpand, name } of given.values()) {
    if (!mayExpand) continue;
    const note =
      'A "$" with a name behind it is taken as it is written: put the value there if a variable was meant.';
    notes.push({ name, line, note });
  }
  const destinations: Record<string, { type: string; settings: object }> = {};
  for (const { settings: known, texts, type } of destinationTypes) {
    const own = ofType(given, known);
    if (own.size === 0) continue;
    const markers = MARKERS[type] ?? [];
    const isOn = markers.some((name) => own.has(name) || own.has(name + SUFFIX));
    if (isOn) {
      destinations[type] = {
        type,
        settings: await carrySettings(own, known, texts, readNamed, notes),
      };
    } else {
      const hint =
        type === 'dropbox' ? ' Add a destination of this type and run: ferry dropbox connect.' : '';
      for (const { line, name } of own.values()) {
        const note = `There is no destination of type ${type} without ${markers.join(' or ')}.${hint}`;
        notes.push({ name, line, note });
      }
    }
  }
  noteOthers(given, notes);
  const { notes: onSchedule, schedule } = carrySchedule(
    given.get('BACKUP_CRON_EXPRESSION')?.value,
    given.get('TZ')?.value,
  );
  notes.push(...onSchedule.map((note) => ({ name: 'BACKUP_CRON_EXPRESSION', note })));
  const when = schedule === undefined ? { enabled: false as const } : { schedule };
  return { spec: { v: 1, ...when, destinations }, notes };
}

/** By name; what stands there later counts, and what is empty is not set. */
function lastOnes(variables: readonly Variable[], notes: Note[]): Map<string, Variable> {
  const given = new Map<string, Variable>();
  for (const variable of variables) {
    const { name } = variable;
    const before = given.get(name);
    if (before) {
      notes.push({
        name,
        line: before.line,
        note: `It is given again in line ${variable.line}, which counts.`,
      });
    }
    given.delete(name);
    if (variable.value !== '') given.set(name, variable);
  }
  return given;
}

function ofType(given: ReadonlyMap<string, Variable>, known: readonly string[]) {
  const belongs = (name: string) =>
    known.includes(name) ||
    (name.endsWith(SUFFIX) && known.includes(name.slice(0, -SUFFIX.length)));
  return new Map([...given].filter(([name]) => belongs(name)));
}

async function carrySettings(
  own: ReadonlyMap<string, Variable>,
  known: readonly string[],
  texts: readonly string[],
  readNamed: ReadNamed,
  notes: Note[],
): Promise<Record<string, string>> {
  const settings: Record<string, string> = {};
  for (const [name, { line, value }] of own) {
    const isReference = !known.includes(name);
    const holder = isReference ? name.slice(0, -SUFFIX.length) : name;
    if (isReference && own.has(holder)) {
      notes.push({ name, line, note: `${holder} is given, too: that value is taken.` });
    } else if (!isReference && !(texts.includes(name) && isPath(value))) {
      settings[name] = value;
    } else {
      const text = await readNamed(value);
      if (text !== undefined) settings[holder] = text;
      else {
        settings[name] = value;
        const note =
          "The file is not there. Put it below --files-from, or stage it for the user under this path; Ferry looks for it in the user's folder of the staging bucket.";
        notes.push({ name, line, note });
      }
    }
  }
  return settings;
}

/** Keys and certificates have several lines, or at least a space in their first. */
function isPath(value: string): boolean {
  return !value.includes('\n') && !value.includes('-----');
}

/** What is no setting of a destination, and not the schedule. */
function noteOthers(given: ReadonlyMap<string, Variable>, notes: Note[]): void {
  const all = destinationTypes.flatMap(({ settings }) => settings);
  for (const { line, name } of given.values()) {
    if (
      SCHEDULE.includes(name) ||
      ofType(new Map([[name, { name, value: '', line, mayExpand: false }]]), all).size > 0
    )
      continue;
    const why = whyNotCarried(name);
    notes.push({ name, line, note: why ?? unknown(name, [...all, ...SCHEDULE]) });
  }
}

function unknown(name: string, known: readonly string[]): string {
  const near = known.find((each) => distance(each, name) <= MISSPELT);
  return `Neither Ferry nor docker-volume-backup has a setting of this name.${near === undefined ? '' : ` Did you mean ${near}?`}`;
}
