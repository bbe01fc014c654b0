import type { Problem } from '../core/problem.ts';
import { SealedSecret, Secret } from '../core/secret.ts';
import type { ReadableSecret } from '../core/user.ts';
import { keepProblem } from './sealed-settings.ts';

/** @param examine tells all problems of settings; a secret that cannot be read may stand among them */
export function describeReadable(
  settings: Readonly<Record<string, unknown>>,
  names: readonly string[],
  examine: (settings: Readonly<Record<string, unknown>>) => readonly Problem[],
): readonly ReadableSecret[] {
  const withHidden = (hidden: readonly string[]) => {
    const secrets = hidden.map((name) => [name, new SealedSecret()] as const);
    return examine({ ...settings, ...Object.fromEntries(secrets) });
  };
  /** Where a problem is kept: beside the secret that it is told at, or that it comes from. */
  const holderOf = (lost: Problem): string | undefined =>
    names.includes(lost.path)
      ? lost.path
      : (names.find((name) => !withHidden([name]).some(same(lost))) ?? names[0]);
  const problemsOf = (setting: string) => {
    const remaining = withHidden(names);
    return examine(settings)
      .filter((found) => !remaining.some(same(found)))
      .filter((lost) => holderOf(lost) === setting)
      .map((lost) => keepProblem(lost, setting, settings));
  };
  return names.map((setting) => {
    const value = settings[setting];
    const text = new Secret(typeof value === 'object' ? JSON.stringify(value) : String(value));
    return { setting, name: setting, text, was: () => value, problems: () => problemsOf(setting) };
  });
}

function same(problem: Problem): (other: Problem) => boolean {
  return (other) => other.path === problem.path && other.problem === problem.problem;
}
