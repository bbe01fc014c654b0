import { describe, expect, it } from 'vitest';
import type { FerryCommand } from '../../cli/command.ts';
import { commands } from '../../cli/commands.ts';

/**
 * docs/command-line.md is made of the very texts that `--help` shows. After a change of these, write
 * it anew: npx vitest run --project unit test/unit/command-line-page.test.ts -u
 */
describe('the page about the command line', () => {
  it('tells of every command what its help tells', async () => {
    await expect(`${HEAD}\n${commands.map(describeCommand).join('\n')}`).toMatchFileSnapshot(
      '../../docs/command-line.md',
    );
  });

  it('has a command of each name once, with an example of its own', () => {
    const names = commands.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { examples, name } of commands) {
      for (const example of examples) expect(example).toContain(`ferry ${name}`);
    }
  });
});

function describeCommand(command: FerryCommand): string {
  const usage = ['ferry', command.name, ...Object.keys(command.arguments)].join(' ');
  const paragraphs = (command.about ?? '').split('\n\n').map((text) => text.replaceAll('\n', ' '));
  const rows = [...Object.entries(command.arguments), ...Object.entries(command.options ?? {})];
  const table = rows.map(([name, about]) => `| \`${name}\` | ${about} |`);
  return [
    `## ${command.name}`,
    '',
    `\`${usage}\` ${command.summary}.`,
    ...paragraphs.flatMap((text) => (text === '' ? [] : ['', text])),
    ...(table.length === 0 ? [] : ['', '| | |', '| --- | --- |', ...table]),
    '',
    '```sh',
    ...command.examples.map((example) => example.replace(/(^|\| )ferry /g, '$1npx ferry ')),
    '```',
    '',
  ].join('\n');
}

const HEAD = `# The command line

\`npx ferry <command>\`, from a clone after \`npm ci\`. \`npx ferry --help\` lists the commands, and \`--help\` behind each says what is said here.

A command is about one deployment: the stage that \`--stage\` or the variable \`FERRY_STAGE\` names (\`dev\` without either), found by the outputs of its stacks in the account and Region that the AWS CLI would use; \`--region\` names another one. \`--local\` is the Ferry that \`npm start -- --keep\` runs on this machine. Whoever uses it in AWS needs the policy that the stack output \`OperatorPolicyArn\` names, and no more.

With \`--json\` the last line of standard output is one JSON document, an array for lists, \`{"error": …}\` where the command failed, with \`problems\` where settings are why. Everything for people then goes to standard error. Without it, what is asked for goes to standard output and errors to standard error.

| exit status | meaning |
| --- | --- |
| 0 | done |
| 1 | tried and failed: settings refused, a check or a run that failed, AWS said no |
| 2 | wrong arguments |
| 3 | no such stage, user, destination or run |

Secrets in files that are written or imported are sealed on this machine, by a key that lets nobody but Ferry's own functions open them; no command shows one.
`;
