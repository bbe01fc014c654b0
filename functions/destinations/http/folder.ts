import * as z from 'zod';
import { issue, text } from '../setting.ts';

/** A path below a bucket, container or share, as users write it; gives it without slashes at its ends. */
export const folder = text.transform((value, context) => {
  const names = value.split('/').filter((name) => name !== '');
  if (!names.includes('.') && !names.includes('..')) return names.join('/');
  context.addIssue(issue('The path holds "." or "..".', 'Name the folders from the top down.'));
  return z.NEVER;
});
