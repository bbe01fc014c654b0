import { type Calendar, shortestGap } from './cron.ts';
import { ANYWHERE, type EgressRules, type Target } from './egress.ts';
import type { Problem } from './problem.ts';
import type { Interval } from './schedule.ts';

/** What the operator of a deployment allows every user. What is absent has no limit but Ferry's own. */
export interface Policy {
  /** Types of destinations that users may have; all without it. */
  readonly types?: readonly string[] | undefined;
  /** Minutes between two runs of one user, at least. */
  readonly shortestIntervalMinutes: number;
  /** Destinations of one user. */
  readonly mostDestinations: number;
  /** Bytes that one run may bring to one destination. */
  readonly mostBytesPerRun?: number | undefined;
  /** Bytes that one user may have delivered in a calendar month (UTC), to all destinations together. */
  readonly mostBytesPerMonth?: number | undefined;
  /** Jobs of one user that may be under way at once. */
  readonly mostJobsAtOnce?: number | undefined;
  /** What the egress guard lets through beside public addresses. */
  readonly network: EgressRules;
  readonly plainHttp: boolean;
  readonly insecureTls: boolean;
  /** Whether the first host key that a server shows is taken where the row names none. */
  readonly trustFirstHostKey: boolean;
  /** Minutes over which runs of one planned time are spread; the stage's own without it. */
  readonly windowMinutes?: number | undefined;
}

/** The item of the settings table that holds the policy; no user can have this id. */
export const POLICY_ID = '#policy';

/** Destinations of one user, whatever the operator allows. */
export const MOST_DESTINATIONS = 50;

/** What counts where the operator has written nothing: nothing unencrypted, nothing but public addresses. */
export const DEFAULT_POLICY: Policy = {
  shortestIntervalMinutes: 15,
  mostDestinations: MOST_DESTINATIONS,
  mostJobsAtOnce: 10,
  network: { allow: [], ports: {} },
  plainHttp: false,
  insecureTls: false,
  trustFirstHostKey: false,
};

/** For those who do not ask the operator: readers that need no verdict, and tests of something else. */
export const NO_LIMITS: Policy = {
  shortestIntervalMinutes: 1,
  mostDestinations: MOST_DESTINATIONS,
  network: ANYWHERE,
  plainHttp: true,
  insecureTls: true,
  trustFirstHostKey: false,
};

/** What the policy looks at of one destination, each with the setting that asked for it. */
export interface Traits {
  /** Where it connects to; empty for a service that only its type decides. */
  readonly hosts: readonly Omit<Target, 'type'>[];
  /** Settings by which backups would travel unencrypted, and how the user gets from there to https. */
  readonly plainHttp: readonly { readonly setting: string; readonly toHttps: string }[];
  /** The setting by which any certificate would be taken, and the one that takes a certificate instead. */
  readonly insecureTls?: { readonly setting: string; readonly authority: string } | undefined;
}

/** The policy as it stands, and what is wrong with what the operator wrote. */
export interface PolicyState {
  /** What counts. */
  readonly policy: Policy;
  /** None where `policy` is what was written. */
  readonly problems: readonly Problem[];
  /** Absent where nothing is written. */
  readonly written?: { readonly policy: unknown } | undefined;
  /** Names what is written; nothing at all has a name, too. */
  readonly hash: string;
  /** The content that the item's status speaks of. */
  readonly checkedHash?: string | undefined;
  /** What the item has of a walk over all rows that has not ended; absent where there is none. */
  readonly mark?: unknown;
  /** The mark, where it can be read. */
  readonly walk?: PolicyWalk | undefined;
}

/** How far the rows have been held against a policy. */
export interface PolicyWalk {
  readonly policyHash: string;
  /** The last user of the last page that is done with; absent before the first. */
  readonly after?: string | undefined;
  /** Rows that were looked at so far; a page that was repeated counts once. */
  readonly rows: number;
}

/** Told at `cron`. */
export function intervalProblems(
  { shortestIntervalMinutes: least }: Policy,
  rule: Calendar | Interval,
): readonly Problem[] {
  const minutes = 'everySeconds' in rule ? rule.everySeconds / 60 : shortestGap(rule);
  if (minutes >= least) return [];
  return [
    forbidden(
      'shortestIntervalMinutes',
      'cron',
      `Two runs of this schedule are ${count(minutes, 'minute')} apart; the operator allows no less than ${least}`,
      `Choose a schedule with ${count(least, 'minute')} or more between two runs`,
    ),
  ];
}

/** Told at `destinations`. */
export function countProblems(
  { mostDestinations: most }: Policy,
  given: number,
): readonly Problem[] {
  if (given <= most) return [];
  return [
    forbidden(
      'mostDestinations',
      'destinations',
      `There are ${given} destinations; the operator allows ${most}`,
      `Remove ${count(given - most, 'destination')}`,
    ),
  ];
}

/** Told at `type`. */
export function typeProblems({ types }: Policy, type: string): readonly Problem[] {
  if (types === undefined || types.includes(type)) return [];
  return [
    forbidden(
      'types',
      'type',
      `The operator allows no destinations of type ${type}`,
      `Choose one of ${types.join(', ')}`,
    ),
  ];
}

/** Told at the setting that asks for what is not allowed. */
export function traitProblems(policy: Policy, traits: Traits): readonly Problem[] {
  const plain = policy.plainHttp ? [] : traits.plainHttp;
  const insecure = policy.insecureTls ? undefined : traits.insecureTls;
  const problems = plain.map(({ setting, toHttps }) =>
    forbidden(
      'plainHttp',
      setting,
      'The operator does not allow plain http, over which anybody on the way can read the backup',
      `Use https: ${toHttps}`,
    ),
  );
  if (insecure === undefined) return problems;
  const { setting, authority } = insecure;
  return [
    ...problems,
    forbidden(
      'insecureTls',
      setting,
      'The operator does not allow TLS that takes any certificate',
      `Take ${setting} out, and put a certificate that is not publicly trusted into ${authority}`,
    ),
  ];
}

/** The sentence for a run that is too large; undefined for one that is not. */
export function runBytesProblem(
  { mostBytesPerRun: most }: Policy,
  bytes: number,
): string | undefined {
  if (most === undefined || bytes <= most) return undefined;
  return (
    `This run would deliver ${bytes} bytes; the operator allows ${most} (mostBytesPerRun). ` +
    'Nothing was sent. Name fewer components in backUp, stage less, or ask the operator for more.'
  );
}

/** The sentence for an archive that the month has no room for; undefined where it has. */
export function monthBytesProblem(
  { mostBytesPerMonth: most }: Policy,
  delivered: number,
  bytes: number,
): string | undefined {
  if (most === undefined || delivered + bytes <= most) return undefined;
  return (
    `${delivered} bytes were delivered this month, and this archive has ${bytes}; the operator allows ${most} a month (mostBytesPerMonth). ` +
    'It is delivered next month. Name fewer components in backUp, run less often, or ask the operator for more.'
  );
}

/** Whether every problem is one that the operator's policy makes. */
export function isPolicyAlone(problems: readonly Problem[]): boolean {
  return problems.every(({ rule }) => rule !== undefined);
}

function forbidden(rule: string, path: string, problem: string, remedy: string): Problem {
  return {
    path,
    problem: `${problem} (${rule}).`,
    remedy: `${remedy}, or ask the operator to change ${rule}.`,
    rule,
  };
}

function count(number: number, what: string): string {
  const rounded = Math.round(number * 10) / 10;
  return `${rounded} ${what}${rounded === 1 ? '' : 's'}`;
}
