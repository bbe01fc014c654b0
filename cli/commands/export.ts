import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { writeYaml } from '../documents.ts';
import { Failure } from '../failure.ts';
import { flag, userId } from '../given.ts';
import { mapSettings, visibilityOf } from '../secrets.ts';
import { readUser } from '../users.ts';

export const exportUser = defineCommand({
  name: 'export',
  summary: 'writes the settings of a user to standard output, as "user put" takes them',
  about: `Secrets are in it as they are sealed. A sealed secret can be opened for the same user and the same
destination of this deployment only: under another name, or elsewhere, enter it again.`,
  arguments: { '<id>': 'the user' },
  examples: ['ferry export alice > alice.yaml', 'ferry export alice --json'],
  given: z.object({ id: userId, json: flag }),
  async run({ id, json }, { ferry }) {
    const { spec } = await readUser(await ferry(), id);
    const open: string[] = [];
    mapSettings(spec, (place, value) => {
      const visibility = visibilityOf(place, value);
      if (visibility === 'secret' || visibility === 'unknown') {
        open.push(`${place.destination}, ${place.name}`);
      }
      return value;
    });
    if (open.length > 0) {
      throw new Failure(
        `There may be secrets in these settings that are not sealed yet (${open.join('; ')}). ` +
          'Ferry seals those of a setting that it knows within seconds; remove what it does not know.',
      );
    }
    const exported = { userId: id, spec };
    if (!json) process.stdout.write(writeYaml(exported));
    return { result: exported };
  },
});
