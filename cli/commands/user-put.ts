import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { readSpec } from '../documents.ts';
import { userId } from '../given.ts';
import { writePlanned } from '../planned.ts';
import { assertValid } from '../spec.ts';
import { expectSame, findUser } from '../users.ts';

export const userPut = defineCommand({
  name: 'user put',
  summary: "writes a user's settings, new or in place of those that there are",
  about: `The file holds the settings in YAML or JSON, alone or as {userId, spec}; docs/settings.md has every
field. It may hold secrets: they are sealed before they are written. Settings that Ferry would refuse
are not written, and each problem is told with its place and its remedy; nor are they where somebody
else makes the same user at the same time.`,
  arguments: { '<id>': 'the user' },
  options: { '--file <path>': 'the settings; "-" reads standard input' },
  examples: ['ferry user put alice --file alice.yaml'],
  given: z.object({ id: userId, file: z.string('Name the file with --file.') }),
  async run({ id, file }, { ferry, say }) {
    const spec = await readSpec(file, id);
    const open = await ferry();
    const isNew = expectSame(await findUser(open, id)) === 'none';
    await assertValid(open, { userId: id, spec });
    const expected = isNew ? 'none' : 'any';
    const { plan, status } = await writePlanned(open, id, spec, expected, say);
    return { result: { userId: id, ...plan }, status };
  },
});
