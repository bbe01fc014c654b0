import { dirname } from 'node:path';
import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { readInput, writeYaml } from '../documents.ts';
import { Failure } from '../failure.ts';
import { flag, userId } from '../given.ts';
import { carryOver, type Note } from '../import/carry-over.ts';
import { readEnvFile } from '../import/env-file.ts';
import { readFilesBelow } from '../import/files.ts';
import { writePlanned } from '../planned.ts';
import { hideSecrets } from '../secrets.ts';
import { assertValid } from '../spec.ts';
import { expectSame, findUser } from '../users.ts';

export const importUser = defineCommand({
  name: 'import',
  summary: 'makes a user of an environment file of OpenPanel or docker-volume-backup',
  about: `Each destination that the file switches on becomes a destination of its type's name, and the schedule
comes over. What could not be carried over is listed, with the reason and what to use instead.

Files that settings name (SSH_IDENTITY_FILE, AWS_ENDPOINT_CA_CERT, any NAME_FILE) are read below the folder
of the environment file, or the one that --files-from names, and nowhere else: /root/.ssh/id_rsa is looked
for as root/.ssh/id_rsa in there.`,
  arguments: { '<id>': 'the user', '<file>': 'the environment file; "-" reads standard input' },
  options: {
    '--files-from <folder>': 'where files are that settings name',
    '--dry-run': 'show what would be written, and write nothing',
    '--replace': "in place of the user's present settings",
  },
  examples: [
    'ferry import alice backup.env --dry-run',
    'ferry import alice backup.env --files-from keys',
  ],
  given: z.object({
    id: userId,
    file: z.string(),
    filesFrom: z.string().optional(),
    dryRun: flag,
    replace: flag,
  }),
  async run({ id, file, filesFrom, dryRun, replace }, { ferry, say }) {
    const folder = filesFrom ?? (file === '-' ? '.' : dirname(file));
    const environment = readEnvFile(await readInput(file));
    const { notes, spec } = await carryOver(environment, readFilesBelow(folder));
    const shown = hideSecrets(spec);
    say(writeYaml(shown));
    if (notes.length > 0)
      say(`Not carried over, or not as it was:\n${notes.map(describe).join('\n')}\n`);
    if (Object.keys(spec.destinations).length === 0) {
      throw new Failure('The file switches no destination on; nothing was written.');
    }
    const open = await ferry();
    await assertValid(open, { userId: id, spec });
    const result = { userId: id, spec: shown, notes };
    if (dryRun) {
      say('Nothing was written (--dry-run).');
      return { result: { ...result, written: false } };
    }
    if (!replace && expectSame(await findUser(open, id)) !== 'none') {
      throw new Failure(
        `"${id}" has settings already: give --replace to write these in their place.`,
      );
    }
    const { plan, status } = await writePlanned(open, id, spec, replace ? 'any' : 'none', say);
    return { result: { ...result, written: true, ...plan }, status };
  },
});

function describe({ name, line, note }: Note): string {
  const place = [name, line === undefined ? undefined : `line ${line}`].filter(
    (part) => part !== undefined,
  );
  return `  ${place.join(', ')}: ${note}`;
}
