import { NO_LIMITS } from '../../functions/core/policy.ts';
import { NEVER_COMES } from '../../functions/settings/cron.ts';
import { parseSchedule } from '../../functions/settings/schedule.ts';

/** A schedule in Ferry's words, and what of it is not as it was. */
export interface CarriedSchedule {
  /** Absent where the schedule never fires: then the user is switched off. */
  readonly schedule?: { readonly cron: string; readonly timeZone: string } | undefined;
  readonly notes: readonly string[];
}

/**
 * Reads a schedule as docker-volume-backup does (robfig/cron): five fields, or six with seconds first,
 * a descriptor, and a time zone in front.
 * @param expression BACKUP_CRON_EXPRESSION
 * @param zone TZ
 */
export function carrySchedule(
  expression: string | undefined,
  zone: string | undefined,
): CarriedSchedule {
  const [, ownZone, given = '@daily'] =
    /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/s.exec((expression ?? '@daily').trim()) ?? [];
  const timeZone = zoneName(ownZone ?? zone ?? 'UTC');
  const words = given.trim().split(/\s+/);
  const hasSeconds = words.length === 6 && !given.startsWith('@');
  const cron = hasSeconds ? words.slice(1).join(' ') : words.join(' ');
  const notes: string[] = [];
  if (hasSeconds && words[0] !== '0') {
    notes.push('Ferry starts runs at full minutes: the field for seconds is left out.');
  }
  if (zone === undefined && ownZone === undefined) {
    notes.push("TZ is not set: the container's own zone is not known here, and UTC is taken.");
  }
  const parsed = parseSchedule(cron, timeZone, NO_LIMITS);
  if (!parsed.ok && parsed.problems.every(({ problem }) => problem === NEVER_COMES)) {
    notes.push(
      'This schedule never comes, so the user is switched off. Give another one to switch on.',
    );
    return { notes };
  }
  return { schedule: { cron, timeZone }, notes };
}

/** The C library takes a colon in front, and the path of a file of its database. */
function zoneName(zone: string): string {
  return zone.replace(/^:/, '').replace(/^\/usr\/share\/zoneinfo\//, '');
}
