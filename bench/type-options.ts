import { z } from 'zod';
import { PLACES } from './places/all.ts';

/** The types that can be measured. */
export const TYPES = Object.keys(PLACES);

/** What every command takes that measures by type: which ones, and where results go. */
export const typeOptions = {
  type: { type: 'string', multiple: true },
  out: { type: 'string' },
} as const;

/** The same as it is read. */
export const typesGiven = {
  type: z.array(z.enum(TYPES)).default(TYPES),
  out: z.string().optional(),
};
