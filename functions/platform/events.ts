import type { Logger } from '@aws-lambda-powertools/logger';
import { openEvents } from '../events/event-bus.ts';
import { connectEventBridge } from './clients.ts';

/** Raises events, for one function; those that the bus does not take are logged. */
export function openRaise(log: Logger) {
  return openEvents(connectEventBridge(), (events, error) => {
    log.warn('events not raised', { events, error });
  }).raise;
}
