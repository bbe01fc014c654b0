import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { FerryEvent } from '../core/event.ts';

/** Source of every event of Ferry's, for the rules that pick them. */
const SOURCE = 'ferry';

/**
 * Ferry's events on the account's default bus: source `ferry`, the event's type as its detail type, and
 * in its detail a version, an id and what happened.
 * @param onLost told of events that the bus did not take
 */
export function openEvents(
  client: EventBridgeClient,
  onLost: (events: readonly FerryEvent[], error: unknown) => void,
) {
  return {
    /**
     * Raises events, a few at once. Resolves also where the bus does not take them: everything that
     * they tell stands in the row or the record as well, and nobody's backup waits for a bus.
     */
    async raise(events: readonly FerryEvent[]): Promise<void> {
      if (events.length === 0) return;
      try {
        const answer = await client.send(
          new PutEventsCommand({
            Entries: events.map(({ type, ...detail }) => ({
              Source: SOURCE,
              DetailType: type,
              Detail: JSON.stringify({ v: 1, ...detail }),
            })),
          }),
        );
        const [failed] = (answer.Entries ?? []).filter(({ ErrorCode }) => ErrorCode !== undefined);
        if (failed) onLost(events, new Error(`${failed.ErrorCode}: ${failed.ErrorMessage}`));
      } catch (error) {
        onLost(events, error);
      }
    },
  };
}
