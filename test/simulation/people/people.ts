import type { Nature } from '../cloud/environment.ts';
import type { Item } from '../cloud/expression.ts';
import type { Table } from '../cloud/tables.ts';
import type { Server } from '../destinations/server.ts';
import { IN_A_FILE } from '../functions/settings.ts';

/** One destination as a user wants it. */
export interface Wanted {
  readonly type: string;
  enabled: boolean;
  password: string;
  readonly verify: 'size' | 'checksum' | 'readback';
}

/** What one user has written, in the hands of whoever writes it. */
export interface UserSpec {
  enabled: boolean;
  cron: string;
  backUp: 'everything' | string[];
  readonly destinations: Map<string, Wanted>;
  /** Holds a name that nobody knows, so that the row is refused. */
  isBroken: boolean;
  /** Whether there is a row at all. */
  exists: boolean;
}

/** The users of a world and what they do to their rows. */
export interface People {
  readonly users: ReadonlyMap<string, UserSpec>;
  /** Names of the destinations that a run would go to now. */
  active(userId: string): readonly string[];
  /** When a person wrote the row last, but for the time of the next run; epoch ms. */
  editedAt(userId: string): number;
  /** When there was last no row, epoch ms. */
  wasGoneAt(userId: string): number;
  /** Everybody writes the first row. */
  arrive(): void;
  /** Does something to a user's row or server. */
  meddle(userId: string): void;
  /** Puts right what is wrong, as somebody does who reads what Ferry says. */
  repair(): void;
}

export const CRONS = ['*/20 * * * *', '*/30 * * * *', '0 * * * *'] as const;

/** @param servers by place */
export function openPeople(
  { history, random, timeline }: Nature,
  settings: Table,
  users: ReadonlyMap<string, UserSpec>,
  servers: ReadonlyMap<string, Server>,
): People {
  const edits = new Map<string, number>();
  const gone = new Map<string, number>();

  /** Writes the people's part of a row, either beside what the pipeline wrote or in place of all. */
  const write = (userId: string, user: UserSpec, what: string) => {
    const row = settings.items.get(userId);
    if (!row || !user.exists) gone.set(userId, timeline.now());
    edits.set(userId, timeline.now());
    history.note('people', `${what} ${userId}`);
    const whole = { userId, spec: specOf(user) };
    const isAnew = random.chance(0.2);
    settings.write(userId, user.exists ? (isAnew ? whole : { ...row, ...whole }) : undefined);
  };
  const conditionOf = (userId: string, name: string) => servers.get(`${userId}/${name}`)?.condition;

  const deeds: readonly [Deed, ...Deed[]] = [
    ({ user }) => {
      user.enabled = !user.enabled;
      return 'switch';
    },
    ({ user }) => {
      user.cron = random.pick(CRONS);
      return 'schedule';
    },
    ({ user }) => {
      user.backUp = user.backUp === 'everything' ? ['html'] : 'everything';
      return 'select';
    },
    ({ user }) => {
      user.isBroken = !user.isBroken;
      return 'misspell';
    },
    ({ user }) => {
      user.exists = !user.exists;
      return 'remove';
    },
    ({ destination }) => {
      if (destination) destination.enabled = !destination.enabled;
      return 'switch a destination of';
    },
    ({ condition }) => {
      if (condition) condition.isFull = !condition.isFull;
      return undefined;
    },
    ({ condition }) => {
      if (condition) condition.password = `password-${random.between(1, 1000)}`;
      return undefined;
    },
    ({ destination, condition }) => {
      if (destination && condition) destination.password = condition.password;
      return 'mend the password of';
    },
    ({ destination }) => {
      if (destination) destination.password = IN_A_FILE;
      return 'refer to a file for';
    },
    ({ userId }) => {
      const row = settings.items.get(userId);
      if (row?.dueAt === undefined) return undefined;
      // A moment ago, so that it is another time than that of a run that is due just now.
      const dueAt = `${new Date(timeline.now() - 30_000).toISOString().slice(0, 19)}Z`;
      history.note('people', `want a run of ${userId} now`);
      settings.write(userId, { ...row, dueAt });
      return undefined;
    },
  ];

  return {
    users,
    active(userId) {
      const user = users.get(userId);
      if (!user?.exists || !user.enabled || user.isBroken) return [];
      return [...user.destinations].filter(([, { enabled }]) => enabled).map(([name]) => name);
    },
    editedAt: (userId) => edits.get(userId) ?? 0,
    wasGoneAt(userId) {
      if (!settings.items.has(userId)) return timeline.now();
      return gone.get(userId) ?? Number.NEGATIVE_INFINITY;
    },
    arrive() {
      for (const [userId, user] of users) write(userId, user, 'add');
    },
    meddle(userId) {
      const user = users.get(userId);
      const [first, ...others] = user?.destinations.keys() ?? [];
      if (!user || first === undefined) return;
      const name = random.pick([first, ...others]);
      const destination = user.destinations.get(name);
      const condition = conditionOf(userId, name);
      const what = random.pick(deeds)({ userId, user, destination, condition });
      if (what !== undefined) write(userId, user, what);
      else history.note('people', `touched the server ${userId}/${name}`, condition);
    },
    repair() {
      for (const [userId, user] of users) {
        user.isBroken = false;
        if (random.chance(0.7)) user.exists = true;
        if (random.chance(0.7)) user.enabled = true;
        for (const [name, destination] of user.destinations) {
          const condition = conditionOf(userId, name);
          if (!condition) continue;
          condition.isFull = false;
          destination.password = condition.password;
          if (random.chance(0.7)) destination.enabled = true;
        }
        write(userId, user, 'repair');
      }
    },
  };
}

type Deed = (at: {
  readonly userId: string;
  readonly user: UserSpec;
  readonly destination: Wanted | undefined;
  readonly condition: Server['condition'] | undefined;
}) => string | undefined;

function specOf({ enabled, cron, backUp, destinations, isBroken }: UserSpec): Item {
  const named = [...destinations].map(([name, { password, ...others }]) => [
    name,
    { ...others, settings: { PASSWORD: password } },
  ]);
  return {
    v: 1,
    enabled,
    schedule: { cron, timeZone: 'UTC' },
    backUp,
    destinations: Object.fromEntries(named),
    ...(isBroken ? { destinatoins: {} } : {}),
  };
}
