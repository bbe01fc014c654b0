import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { Failure, misuse } from '../failure.ts';
import { flag, userId } from '../given.ts';
import { ask } from '../question.ts';
import { readUser, removeUser } from '../users.ts';

export const userRemove = defineCommand({
  name: 'user remove',
  summary: "removes a user's settings",
  about: `No run starts any more, and one that is under way stops within seconds. What was delivered stays
where it is, receipts are kept for 400 days, and what is staged stays until it expires.`,
  arguments: { '<id>': 'the user' },
  options: { '--yes': 'do not ask' },
  examples: ['ferry user remove alice', 'ferry user remove alice --yes --json'],
  given: z.object({ id: userId, yes: flag, json: flag }),
  async run({ id, yes, json }, { ferry, say }) {
    const open = await ferry();
    if (!yes) {
      if (json || !process.stdin.isTTY) throw misuse('Give --yes where nobody can be asked.');
      await readUser(open, id);
      const answer = await ask(`Type "${id}" to remove this user's settings: `);
      if (answer !== id) throw new Failure('Nothing was removed.');
    }
    await removeUser(open, id);
    say(`"${id}" is removed.`);
    return { result: { userId: id, removed: true } };
  },
});
