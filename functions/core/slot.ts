import { Temporal } from 'temporal-polyfill';

/** An instant as slots are written: ISO 8601, UTC, whole seconds, so that text order is time order. */
export function writeSlot(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'second' });
}

/** Undefined for a text that `writeSlot` does not write. */
export function readSlot(text: string): Temporal.Instant | undefined {
  try {
    const instant = Temporal.Instant.from(text);
    return writeSlot(instant) === text ? instant : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
