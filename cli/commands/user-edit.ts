import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { readYaml, writeYaml } from '../documents.ts';
import { editText, keepText } from '../editor.ts';
import { Failure, toFailure } from '../failure.ts';
import type { Ferry } from '../ferry.ts';
import { userId } from '../given.ts';
import { writePlanned } from '../planned.ts';
import { hideSecrets, keepHidden } from '../secrets.ts';
import { assertValid } from '../spec.ts';
import { expectSame, readUser } from '../users.ts';

const HEADING = `# Settings of a user. What begins with "(" stands for a secret that stays as it is;
# put a new one in its place to change it. Save and leave the editor to write them.
`;

export const userEdit = defineCommand({
  name: 'user edit',
  summary: "opens a user's settings in your editor",
  about: `The editor is $VISUAL or $EDITOR, else vi. Settings that Ferry would refuse are not written: the editor
opens again with what is wrong. Leave it without a change to give up. What was typed and could not be
written is kept in a file, and you are told where.`,
  arguments: { '<id>': 'the user' },
  examples: ['ferry user edit alice', 'EDITOR="code --wait" ferry user edit alice'],
  given: z.object({ id: userId }),
  async run({ id }, { ferry, say }) {
    const open = await ferry();
    const seen = await readUser(open, id);
    const name = `${id}.yaml`;
    let typed: string | undefined;
    const edit = async (text: string) => {
      const edited = await editText(text, name);
      if (withoutProblems(edited) !== withoutProblems(text)) typed = withoutProblems(edited);
      return edited;
    };
    try {
      const spec = await editUntilValid(open, id, seen.spec, edit);
      if (spec === undefined) {
        say('Nothing was changed.');
        return { result: { userId: id, changed: false } };
      }
      const { plan, status } = await writePlanned(open, id, spec, expectSame(seen), say);
      return { result: { userId: id, changed: true, ...plan }, status };
    } catch (thrown) {
      throw typed === undefined ? thrown : await keepText(typed, name, toFailure(thrown));
    }
  },
});

/**
 * The settings as a person wants them; undefined where nothing was changed.
 * @throws Failure where the person gave up over what is wrong
 */
async function editUntilValid(
  ferry: Ferry,
  id: string,
  seen: unknown,
  edit: (text: string) => Promise<string>,
): Promise<unknown> {
  let text = HEADING + writeYaml(hideSecrets(seen));
  let wrong: Failure | undefined;
  for (;;) {
    const edited = await edit(text);
    if (withoutProblems(edited) === withoutProblems(text)) {
      if (wrong) throw wrong;
      return undefined;
    }
    try {
      const spec = keepHidden(readYaml(edited, 'What you typed', 'settings'), seen);
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
