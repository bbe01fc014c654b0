import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { readFileYaml } from '../documents.ts';
import { Failure } from '../failure.ts';
import { openPolicy } from '../policy.ts';

export const policySet = defineCommand({
  name: 'policy set',
  summary: 'writes what the operator allows users, in place of what is written',
  about: `The file holds the policy in YAML or JSON; docs/settings.md has every field. A policy that cannot be
used is not written. Every user's settings are held against the new one; runs go by it within a minute.`,
  arguments: {},
  options: { '--file <path>': 'the policy; "-" reads standard input' },
  examples: ['ferry policy set --file policy.yaml'],
  given: z.object({ file: z.string('Name the file with --file.') }),
  async run({ file }, { ferry, say }) {
    const policy = await readFileYaml(file, 'policy');
    const written = await openPolicy(await ferry()).put(policy);
    if (!written.ok) {
      const { problems } = written;
      throw new Failure('This policy cannot be used; nothing was written.', { problems });
    }
    say('The policy is written. Whose settings it refuses is told in: ferry user list');
    return { result: { policy } };
  },
});
