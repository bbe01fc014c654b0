import { closest, distance } from 'fastest-levenshtein';
import type { Problem } from './problem.ts';

/** What a schema finds wrong with the shape of what people wrote, as zod tells it. */
interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  /** What is expected there, worded to go into "This is not …" and "Give …". */
  readonly message: string;
  readonly input?: unknown;
  /** Names that nobody knows, for the code `unrecognized_keys`. */
  readonly keys?: readonly string[];
}

/**
 * What a schema finds wrong, told so that people can mend it.
 * @param knownAt the names that there are at a place
 */
export function shapeProblems(
  found: Issue,
  knownAt: (place: readonly PropertyKey[]) => readonly string[],
): readonly Problem[] {
  if (found.keys !== undefined) {
    const known = knownAt(found.path);
    return found.keys.map((name) => ({
      path: [...found.path, name].join('.'),
      problem: 'There is nothing of this name.',
      remedy: `${guess(name, known)}Known here: ${known.join(', ')}.`,
    }));
  }
  const path = found.path.join('.');
  const problem = found.input === undefined ? 'This is missing.' : `This is not ${found.message}.`;
  return [{ path, problem, remedy: `Give ${found.message}.` }];
}

/** A question for what was meant, with a space after it; nothing where no name is near. */
export function guess(name: string, known: readonly string[]): string {
  const nearest = closest(name, [...known]);
  const far = Math.max(2, Math.floor(name.length / 3));
  return distance(name, nearest) <= far ? `Did you mean ${nearest}? ` : '';
}
