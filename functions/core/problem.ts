/** Something wrong in what a person wrote, told so that the person can mend it. */
export interface Problem {
  /** Where, e.g. `spec.destinations.nas.settings.SSH_PORT`. */
  readonly path: string;
  /** What is wrong; never holds a secret. */
  readonly problem: string;
  /** What to do about it. */
  readonly remedy: string;
  /** The rule of the operator's policy that it breaks; absent where it is wrong whatever the policy. */
  readonly rule?: string | undefined;
  /** How many problems this one stands for, where it is not itself alone. */
  readonly standsFor?: number | undefined;
}

/** More than anybody mends at once, and few enough for a row of the table to hold them. */
const MOST_TOLD = 50;
/** Characters of each text; names that people make up may be as long as the row. */
const LONGEST = 600;

/** Problems as a row has room for them: the last of too many says how many more there are. */
export function fewProblems(all: readonly Problem[]): readonly Problem[] {
  const problems = all.map(({ path, problem, remedy, ...rest }) => ({
    path: cut(path),
    problem: cut(problem),
    remedy: cut(remedy),
    ...rest,
  }));
  const more = problems.length - MOST_TOLD;
  if (more <= 0) return problems;
  const untold = problems.slice(MOST_TOLD);
  const [first] = untold;
  const rest = {
    path: 'spec',
    problem: `There are ${more} more problems.`,
    remedy: 'Mend those that are told here first.',
    standsFor: more,
    // A rule makes it the operator's alone, which it is where all of them are.
    ...(first?.rule && untold.every(({ rule }) => rule) ? { rule: first.rule } : {}),
  };
  return [...problems.slice(0, MOST_TOLD), rest];
}

/** How many there were before some became one. */
export function countAll(problems: readonly Problem[]): number {
  return problems.reduce((sum, { standsFor = 1 }) => sum + standsFor, 0);
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Problems as one line for a log or an error message. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map((p) => `${p.path}: ${p.problem} ${p.remedy}`).join(' ');
}
