import { z } from 'zod';
import { DESTINATION_NAME, USER_ID } from '../functions/core/user.ts';

/** Arguments and options that several commands take. */

export const userId = z
  .string()
  .regex(USER_ID, 'A user is called by 1 to 128 letters, digits, ".", "_", "@" and "-".');

export const destination = z
  .string()
  .regex(
    DESTINATION_NAME,
    'A destination is called by 1 to 40 lowercase letters, digits and "-", beginning with a letter or digit.',
  );

export const flag = z.boolean().default(false);

/** How many of a list, newest first. */
export const limit = z.coerce
  .number('--limit takes a number.')
  .int('--limit takes a whole number.')
  .min(1, '--limit takes a number from 1 on.')
  .max(1000, '--limit takes a number up to 1000.');
