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
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Problems as one line for a log or an error message. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map((p) => `${p.path}: ${p.problem} ${p.remedy}`).join(' ');
}
