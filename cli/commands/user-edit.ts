import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { readYaml, writeYaml } from '../documents.ts';
import { editText } from '../editor.ts';
import { Failure } from '../failure.ts';
import type { Ferry } from '../ferry.ts';
import { userId } from '../given.ts';
import { writePlanned } from '../planned.ts';
import { hideSecrets, keepHidden } from '../secrets.ts';
import { assertValid } from '../spec.ts';
import { readUser } from '../users.ts';

const HEADING = `# Settings of a user. What begins with "(" stands for a secret that stays as it is;
# put a new one in its place to change it. Save and leave the editor to write them.
`;

export const userEdit = defineCommand({
  name: 'user edit',
  summary: "opens a user's settings in your editor",
  about: `The editor is $VISUAL or $EDITOR, else vi. Settings that Ferry would refuse are not written: the editor
opens again with what is wrong. Leave it without a change to give up.`,
  arguments: { '<id>': 'the user' },
  examples: ['ferry user edit alice', 'EDITOR="code --wait" ferry user edit alice'],
  given: z.object({ id: userId }),
  async run({ id }, { ferry, say }) {
    const open = await ferry();
    const seen = await readUser(open, id);
    const spec = await editUntilValid(open, id, seen.spec);
    if (spec === undefined) {
      say('Nothing was changed.');
      return { result: { userId: id, changed: false } };
    }
    const { plan, status } = await writePlanned(open, id, spec, say, seen);
    return { result: { userId: id, changed: true, ...plan }, status };
  },
});

/**
 * The settings as a person wants them; undefined where nothing was changed.
 * @throws Failure where the person gave up over what is wrong
 */
async function editUntilValid(ferry: Ferry, id: string, seen: unknown): Promise<unknown> {
  let text = HEADING + writeYaml(hideSecrets(seen));
  let wrong: Failure | undefined;
  for (;;) {
    const edited = await editText(text, `${id}.yaml`);
    if (withoutProblems(edited) === withoutProblems(text)) {
      if (wrong) throw wrong;
      return undefined;
    }
    try {
      const spec = keepHidden(readYaml(edited), seen);
      await assertValid(ferry, { userId: id, spec });
      return spec;
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      wrong = thrown;
      text = withProblems(edited, wrong);
    }
  }
}

/** The text with what is wrong above it, in place of what was wrong the time before. */
function withProblems(text: string, { message, problems }: Failure): string {
  const told = problems.map(({ path, problem, remedy }) => `${path}: ${problem} ${remedy}`);
  const lines = [message, ...told].flatMap((line) => line.split('\n'));
  return `${lines.map((line) => `#! ${line}\n`).join('')}${withoutProblems(text)}`;
}

function withoutProblems(text: string): string {
  return text.replace(/^(#! .*\n)+/, '');
}
