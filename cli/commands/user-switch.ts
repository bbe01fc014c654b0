import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { destination, userId } from '../given.ts';
import { awaitPlan } from '../planned.ts';
import { switchUser } from '../users.ts';

const options = {
  arguments: { '<id>': 'the user', '[destination]': 'one destination of the user' },
  given: z.object({ id: userId, destination: destination.optional() }),
};

export const userEnable = defineCommand({
  ...options,
  name: 'user enable',
  summary: 'switches a user, or one destination, on',
  examples: ['ferry user enable alice', 'ferry user enable alice nas'],
  async run({ id, destination: name }, { ferry, say }) {
    const open = await ferry();
    await switchUser(open, id, name, true);
    say(`${name === undefined ? `"${id}"` : `"${name}" of "${id}"`} is switched on.`);
    return {
      result: { userId: id, destination: name, enabled: true, ...(await awaitPlan(open, id, say)) },
    };
  },
});

export const userDisable = defineCommand({
  ...options,
  name: 'user disable',
  summary: 'switches a user, or one destination, off',
  about: 'A run that is under way stops within seconds and takes back what it had not finished.',
  examples: ['ferry user disable alice', 'ferry user disable alice nas'],
  async run({ id, destination: name }, { ferry, say }) {
    const open = await ferry();
    await switchUser(open, id, name, false);
    say(`${name === undefined ? `"${id}"` : `"${name}" of "${id}"`} is switched off.`);
    return {
      result: {
        userId: id,
        destination: name,
        enabled: false,
        ...(await awaitPlan(open, id, say)),
      },
    };
  },
});
