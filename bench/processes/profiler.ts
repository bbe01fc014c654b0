import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

/**
 * Loaded into a worker before its bundle: records where the main thread's time goes during the second
 * event, when the worker is warm, and writes that as V8 does to the file named by `PROFILE_TO`.
 */
const file = process.env.PROFILE_TO ?? '';
/** How often it is looked, in µs. */
const INTERVAL = 500;
const session = new Session();
const answer = process.send?.bind(process);
let events = 0;

session.connect();
process.on('message', () => {
  events += 1;
  if (events !== 2) return;
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL });
  session.post('Profiler.start');
});
// Each event has one answer, and with the second one the worker may be ended.
process.send = (message: unknown): boolean => {
  if (events === 2) {
    session.post('Profiler.stop', (error, { profile }) => {
      if (error) throw error;
      writeFileSync(file, JSON.stringify(profile));
    });
  }
  return answer?.(message) ?? false;
};
