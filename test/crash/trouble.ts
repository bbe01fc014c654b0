import { ARCHIVE_BYTES } from './archive.ts';
import type { Chance } from './chance.ts';

/** Where a worker is killed: a request is seen and not passed on, or answered and the answer lost. */
export interface Kill {
  readonly step: string;
  readonly when: 'before' | 'after';
}

/** What goes wrong in one round. */
export interface Trouble {
  readonly name: string;
  /** Each is waited for when the one before has happened. */
  readonly kills: readonly Kill[];
  /** How many workers are killed at a random moment. */
  readonly surprises: number;
  /** Bytes on the wire after which every connection is cut. */
  readonly cuts: readonly number[];
  /** Bytes on the wire after which the server is stopped, and started again a little later. */
  readonly restarts: readonly number[];
  /** How many of 100 requests are lost, or their answers; and how many answers come late. */
  readonly lost: number;
  readonly late: number;
}

const CALM: Trouble = {
  name: 'nothing goes wrong',
  kills: [],
  surprises: 0,
  cuts: [],
  restarts: [],
  lost: 0,
  late: 0,
};

/** How many kills one round has: a message that is received eight times without a hop is given up. */
const KILLS = 6;

export const calm = (): Trouble => CALM;

/** The rounds that kill a worker before and after each step, in the order of the steps. */
export function atEveryStep(steps: readonly string[]): Trouble[] {
  const kills = steps.flatMap((step): Kill[] => [
    { step, when: 'before' },
    { step, when: 'after' },
  ]);
  const rounds = Math.ceil(kills.length / KILLS);
  return Array.from({ length: rounds }, (_, at) =>
    killedAt(kills.filter((_kill, number) => number % rounds === at)),
  );
}

const killedAt = (kills: readonly Kill[]): Trouble => ({ ...CALM, name: 'killed', kills });

/** One round for each kill that did not come about in company. */
export function oneByOne(kills: readonly Kill[]): Trouble[] {
  return kills.map((kill) => killedAt([kill]));
}

/** One round of everything together, and then rounds of every other kind. */
export function otherTroubles(chance: Chance): Trouble[] {
  const somewhere = () => chance.whole(1, ARCHIVE_BYTES);
  const places = (count: number) => Array.from({ length: count }, somewhere).sort((a, b) => a - b);
  return [
    {
      name: 'everything at once',
      kills: [],
      surprises: 2,
      cuts: places(2),
      restarts: places(1),
      lost: 5,
      late: 20,
    },
    { ...CALM, name: 'server restarted twice', restarts: places(2) },
    { ...CALM, name: 'connections cut again and again', cuts: places(6) },
    { ...CALM, name: 'answers late', late: 40 },
    { ...CALM, name: 'requests and answers lost', lost: 12 },
    { ...CALM, name: 'killed at random moments', surprises: 4 },
  ];
}
