import { type JobName, jobId } from './job.ts';
import type { RunReport } from './job-ending.ts';
import type { JobRecord } from './job-record.ts';
import { countAll, type Problem } from './problem.ts';

/** Something that operators may want to be told of at once, whoever the user is. No secret in it. */
export type FerryEvent = SettingsRefused | HostKeyChanged | RunFailed;

/** A row was written that cannot be used: nothing runs for this user until it is mended. */
export interface SettingsRefused {
  readonly type: 'Settings refused';
  /** The same for the same content of the same row, so that an event that comes twice is known. */
  readonly id: string;
  readonly userId: string;
  /** The first of them; the row's status has all. */
  readonly problems: readonly Problem[];
  /** All there are, also where the status has no room for them. */
  readonly problemCount: number;
}

/** A server showed another host key than the row has: a new server, or somebody in between. */
export interface HostKeyChanged extends OfJob {
  readonly type: 'Host key changed';
}

/** A job has ended as failed: this backup did not happen, or not whole. */
export interface RunFailed extends OfJob {
  readonly type: 'Run failed';
  readonly code?: string | undefined;
  /** Delivered by this job all the same. */
  readonly archives: number;
  readonly bytes: number;
}

interface OfJob {
  /** The job's id; a job that is run again after its end has the same. */
  readonly id: string;
  readonly userId: string;
  readonly destination: string;
  readonly slot: string;
  /** One line for a person. */
  readonly message?: string | undefined;
}

/** More would not fit into one event, which has at most 256 KiB. */
const MOST_PROBLEMS = 20;

export function settingsRefused(
  userId: string,
  specHash: string,
  problems: readonly Problem[],
): SettingsRefused {
  return {
    type: 'Settings refused',
    id: `${userId}#${specHash}`,
    userId,
    problems: problems.slice(0, MOST_PROBLEMS),
    problemCount: countAll(problems),
  };
}

/** What is to be told of a job that has ended; nothing of one that delivered or had nothing to do. */
export function endingEvents(
  job: JobName,
  { outcome, message, code }: RunReport,
  { archives, bytes, errors }: JobRecord,
): readonly FerryEvent[] {
  if (outcome !== 'failed') return [];
  const { userId, destination, slot } = job;
  const of = { id: jobId(job), userId, destination, slot };
  const changed = errors.find((error) => error.code === 'host-key-changed');
  return [
    ...(changed ? [{ type: 'Host key changed', ...of, message: changed.message } as const] : []),
    { type: 'Run failed', ...of, message, code, archives, bytes },
  ];
}
