import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { writeYaml } from '../documents.ts';
import { openPolicy } from '../policy.ts';

export const policyShow = defineCommand({
  name: 'policy show',
  summary: 'shows what the operator allows users',
  about: `What counts now, with what Ferry takes where nothing is written. Where what was written cannot be
used, the last policy that could goes on to count, and the problems are told.`,
  arguments: {},
  examples: ['ferry policy show'],
  given: z.object({}),
  async run(_given, { ferry, say }) {
    const { policy, problems, walk, written } = await openPolicy(await ferry()).look();
    say(writeYaml(policy).trimEnd());
    if (written === undefined) say('\nNothing is written: these are the defaults.');
    for (const { path, problem, remedy } of problems) say(`  ${path}: ${problem} ${remedy}`);
    if (walk) say(`\nUsers are held against it: ${walk.rows} so far.`);
    return { result: { policy, written: written?.policy ?? null, problems } };
  },
});
