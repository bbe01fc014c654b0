import type { ScheduleDefinition } from './topology.ts';

/** EventBridge Scheduler replaces this in a target's input by the planned instant. */
const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';

/** The event that the schedule sends for a planned instant. */
export function tickEvent(schedule: ScheduleDefinition, scheduledTime: Date): unknown {
  // To the second and with a Z, as Scheduler writes it.
  const text = scheduledTime.toISOString().replace(/\.\d{3}Z$/, 'Z');
  return JSON.parse(schedule.input.replaceAll(SCHEDULED_TIME, text));
}

interface TickingOptions {
  readonly schedule: ScheduleDefinition;
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly onError: (error: unknown) => void;
}

/** Sends the schedule's event at every full interval of the clock until it is stopped. */
export function startTicking({ schedule, invoke, onError }: TickingOptions): Disposable {
  const intervalMs = schedule.rateMinutes * 60_000;
  let timer: NodeJS.Timeout;

  function planNext(): void {
    const next = new Date((Math.floor(Date.now() / intervalMs) + 1) * intervalMs);
    timer = setTimeout(() => {
      planNext();
      invoke(tickEvent(schedule, next)).catch(onError);
    }, next.getTime() - Date.now());
  }

  planNext();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
