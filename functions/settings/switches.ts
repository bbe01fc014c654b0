import * as z from 'zod';

const row = z.object({
  spec: z.object({
    enabled: z.unknown().optional(),
    destinations: z.record(z.string(), z.unknown()),
  }),
});
const destination = z.object({ enabled: z.literal(false) });

/** Whether people removed a destination or switched it or its user off, whatever else is wrong with the row. */
export function isSwitchedOff(item: unknown, name: string): boolean {
  const spec = row.safeParse(item).data?.spec;
  if (!spec) return false;
  if (spec.enabled === false || !Object.hasOwn(spec.destinations, name)) return true;
  return destination.safeParse(spec.destinations[name]).success;
}
