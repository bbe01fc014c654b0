import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { writeYaml } from '../documents.ts';
import { userId } from '../given.ts';
import { hideSecrets } from '../secrets.ts';
import { readUser, type UserStatus } from '../users.ts';

export const userShow = defineCommand({
  name: 'user show',
  summary: "shows a user's settings without secrets, and how the user stands",
  arguments: { '<id>': 'the user' },
  examples: ['ferry user show alice'],
  given: z.object({ id: userId }),
  async run({ id }, { ferry, say }) {
    const { spec, status } = await readUser(await ferry(), id);
    const shown = hideSecrets(spec);
    say(writeYaml({ userId: id, spec: shown }).trimEnd());
    say(describe(status));
    return { result: { userId: id, spec: shown, status: status ?? null } };
  },
});

function describe(status: UserStatus | undefined): string {
  if (status?.state === undefined) return '\nFerry has not looked at these settings yet.';
  const lines = [`\nThe settings are ${status.state}.`];
  for (const { path, problem, remedy } of status.problems) {
    lines.push(`  ${path}: ${problem} ${remedy}`);
  }
  if (status.state === 'valid') {
    lines.push(status.nextRun ? `Next run: ${status.nextRun}` : 'No run is planned.');
  }
  for (const [name, { lastRun, lastGood }] of Object.entries(status.destinations)) {
    if (!lastRun) continue;
    const why = lastRun.message ? `: ${lastRun.message}` : '';
    lines.push(`Last run to ${name}: ${lastRun.outcome} at ${lastRun.at}${why}`);
    if (lastGood && lastGood !== lastRun.at) lines.push(`Last good backup at ${name}: ${lastGood}`);
  }
  return lines.join('\n');
}
