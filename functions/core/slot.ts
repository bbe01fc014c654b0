import { Temporal } from 'temporal-polyfill';

/** An instant as slots are written: ISO 8601, UTC, whole seconds, so that text order is time order. */
export function writeSlot(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'second' });
}

/** The instant that a text names in any spelling of ISO 8601, since people write slots, too; else undefined. */
export function readSlot(text: string): Temporal.Instant | undefined {
  try {
    return Temporal.Instant.from(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
