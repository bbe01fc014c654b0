import { closest } from 'fastest-levenshtein';
import type { Parsed } from '../core/problem.ts';
import { azure } from './azure/type.ts';
import type { ConfiguredDestination, DestinationType } from './destination-type.ts';
import { dropbox } from './dropbox/type.ts';
import type { ReadableSecret } from './readable-secrets.ts';
import { s3 } from './s3/type.ts';
import { ssh } from './ssh/type.ts';
import { webdav } from './webdav/type.ts';

/** Every destination type that Ferry knows. A new type is a folder and a line here. */
export const destinationTypes: readonly DestinationType[] = [azure, dropbox, s3, ssh, webdav];

/** Checks the settings of one destination; problems are told by setting name. */
export function parseDestination(
  type: string,
  settings: Readonly<Record<string, unknown>>,
): Parsed<ConfiguredDestination> {
  const found = destinationTypes.find((candidate) => candidate.type === type);
  if (found) return found.parse(settings);
  const names = destinationTypes.map((candidate) => candidate.type);
  return {
    ok: false,
    problems: [
      {
        path: 'type',
        problem: `There is no destination type "${type}".`,
        remedy: `Did you mean ${closest(type, names)}? Known types: ${names.join(', ')}.`,
      },
    ],
  };
}

/**
 * Secrets that stand readable in the settings of one destination. Which type it is does not matter: a
 * name that is a secret of any type holds one, also where the type is misspelt.
 */
export function findReadableSecrets(
  type: string,
  settings: Readonly<Record<string, unknown>>,
): readonly ReadableSecret[] {
  return destinationTypes.flatMap((each) =>
    each
      .readableSecrets(settings)
      .map((secret) => (each.type === type ? secret : { ...secret, problems: () => [] })),
  );
}
