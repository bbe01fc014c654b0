import type { Problem } from '../../core/problem.ts';

/** Settings that cannot be used, for one reason. */
export function refuse(
  path: string,
  { problem, remedy }: Omit<Problem, 'path'>,
): { readonly ok: false; readonly problems: readonly Problem[] } {
  return { ok: false, problems: [{ path, problem, remedy }] };
}
