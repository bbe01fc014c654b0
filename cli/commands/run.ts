import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import type { Job } from '../../functions/core/job.ts';
import { writeSlot } from '../../functions/core/slot.ts';
import { activeDestinations } from '../../functions/core/user.ts';
import { openJobQueue } from '../../functions/queue/job-queue.ts';
import { defineCommand } from '../command.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Ferry } from '../ferry.ts';
import { followJobs } from '../follow.ts';
import { destination, flag, userId } from '../given.ts';
import { awaitPlan } from '../planned.ts';
import { validUser } from '../spec.ts';
import { noDestination, readUser } from '../users.ts';

export const run = defineCommand({
  name: 'run',
  summary: 'runs a user now, beside the schedule',
  about: `Puts a job on the queue for each destination that is switched on, or for the one that is named. It
delivers what is staged and not at the destination yet; the schedule stays as it is.

With --wait it shows how far the run is, and ends with 1 when it failed anywhere. A run that found nothing
to deliver has not failed. Ctrl-C ends the waiting; the run goes on.`,
  arguments: { '<id>': 'the user', '[destination]': 'one destination; all without it' },
  options: { '--wait': 'until the run has ended' },
  examples: ['ferry run alice --wait', 'ferry run alice nas'],
  given: z.object({ id: userId, destination: destination.optional(), wait: flag }),
  async run({ id, destination: only, wait }, { ferry, say }) {
    const open = await ferry();
    const names = await destinationsOf(open, id, only);
    // Workers leave alone what has not been looked at, so that they would come to it later.
    await awaitPlan(open, id, () => {});
    const slot = writeSlot(Temporal.Now.instant());
    const jobs = names.map((name): Job => ({ userId: id, slot, destination: name, hop: 0 }));
    const [unsent] = await openJobQueue(open.sqs, open.outputs.JobQueueUrl).send(jobs);
    if (unsent) throw new Failure(`The queue did not take the job: ${unsent.message}`);
    if (!wait) {
      say(`On the queue, slot ${slot}: ${names.join(', ')}. See: ferry runs ${id}`);
      return { result: { userId: id, slot, destinations: names } };
    }
    const ended = await followJobs(open, jobs, say);
    const outcomes = ended.map(({ job, record }) => ({ destination: job.destination, ...record }));
    return {
      result: { userId: id, slot, destinations: names, outcomes },
      status: outcomes.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.done,
    };
  },
});

/** The destinations that a run goes to. @throws Failure where there are none */
async function destinationsOf(
  ferry: Ferry,
  id: string,
  only: string | undefined,
): Promise<readonly string[]> {
  const user = await validUser(ferry, await readUser(ferry, id));
  const active = activeDestinations(user);
  const known = [...user.destinations.keys()];
  if (only !== undefined && !known.includes(only)) throw noDestination(id, only, known);
  const names = active.filter((name) => only === undefined || name === only);
  if (names.length > 0) return names;
  const what = !user.enabled || only === undefined ? `"${id}"` : `"${only}" of "${id}"`;
  const words = !user.enabled || only === undefined ? id : `${id} ${only}`;
  throw new Failure(`${what} is switched off. Switch on: ferry user enable ${words}`);
}
