import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { destination, userId } from '../given.ts';
import { awaitPlan } from '../planned.ts';
import { switchUser } from '../users.ts';

/** The command that switches users on, or the one that switches them off. */
function defineSwitch(verb: string, enabled: boolean, about?: string) {
  const way = enabled ? 'on' : 'off';
  return defineCommand({
    name: `user ${verb}`,
    summary: `switches a user, or one destination, ${way}`,
    ...(about === undefined ? {} : { about }),
    arguments: { '<id>': 'the user', '[destination]': 'one destination of the user' },
    examples: [`ferry user ${verb} alice`, `ferry user ${verb} alice nas`],
    given: z.object({ id: userId, destination: destination.optional() }),
    async run({ id, destination: name }, { ferry, say }) {
      const open = await ferry();
      await switchUser(open, id, name, enabled);
      say(`${name === undefined ? `"${id}"` : `"${name}" of "${id}"`} is switched ${way}.`);
      const plan = await awaitPlan(open, id, say);
      return { result: { userId: id, destination: name, enabled, ...plan } };
    },
  });
}

export const userEnable = defineSwitch('enable', true);

export const userDisable = defineSwitch(
  'disable',
  false,
  'A run that is under way stops within seconds and takes back what it had not finished.',
);
