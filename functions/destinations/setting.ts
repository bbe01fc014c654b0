import * as z from 'zod';
import { Secret } from '../core/secret.ts';

/**
 * Building blocks for the settings of a destination type. Values come from a DynamoDB row or an
 * environment file, so each block takes text as well as the native type. An empty text counts as
 * "not set" and is taken out before these run (`destination-type.ts`).
 *
 * Every message is a problem and a remedy, split by `PROBLEM_END`.
 */
const PROBLEM_END = '\n';

/** Writes the message of a failed check: what is wrong, then what to do. */
export function issue(problem: string, remedy: string): string {
  return `${problem}${PROBLEM_END}${remedy}`;
}

/** The two halves of a message made by `issue`. */
export function splitIssue(message: string): { problem: string; remedy: string } {
  const [problem = '', remedy = 'Correct the value.'] = message.split(PROBLEM_END);
  return { problem, remedy };
}

/** Longer than any key or chain of certificates; what reads texts may then take its time with each character. */
const LONGEST = 32 * 1024;

const scalar = z
  .union([z.string(), z.number(), z.boolean()], {
    error: issue('This is not a text.', 'Give a text, a number or true/false.'),
  })
  .refine(
    (value) => String(value).length <= LONGEST,
    issue('This is too long.', `Give at most ${LONGEST} characters.`),
  );

/** Text without the line end that files and editors add. */
export const text = scalar.transform((value) => String(value).trim());

/**
 * Text that must not be printed. Spaces inside and around a password count; a trailing line end does
 * not. A sealed one passes as it is: what checks the text first looks whether it can be read
 * (`isSealed`). What this block takes and no other does, a `Secret`, is how secret settings are known.
 */
export const secret = z.union([
  z.instanceof(Secret),
  scalar.transform((value) => new Secret(String(value).replace(/\r?\n$/, ''))),
]);

const TRUE = ['1', 't', 'true', 'yes', 'on'];
const FALSE = ['0', 'f', 'false', 'no', 'off'];

/** A switch, in the spellings people use; anything else is an error and never silently off. */
export const flag = text.transform((value, context) => {
  const word = value.toLowerCase();
  if (TRUE.includes(word)) return true;
  if (FALSE.includes(word)) return false;
  context.addIssue(issue('This is neither true nor false.', 'Write true or false.'));
  return z.NEVER;
});

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number) {
  return text.transform((value, context) => {
    const number = Number(value);
    if (/^[+-]?\d+$/.test(value) && number >= min && number <= max) return number;
    context.addIssue(
      issue(
        'This is not a whole number in the allowed range.',
        `Give a number from ${min} to ${max}.`,
      ),
    );
    return z.NEVER;
  });
}
