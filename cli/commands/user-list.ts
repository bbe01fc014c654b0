import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { formatTable } from '../tables.ts';
import { destinationNames, listUsers, type StoredUser } from '../users.ts';

export const userList = defineCommand({
  name: 'user list',
  summary: 'lists all users, and how they stand',
  arguments: {},
  examples: ['ferry user list', 'ferry user list --json --stage prod'],
  given: z.object({}),
  async run(_given, { ferry, say }) {
    const users: ReturnType<typeof describe>[] = [];
    for await (const user of listUsers(await ferry())) users.push(describe(user));
    users.sort((a, b) => (a.userId < b.userId ? -1 : 1));
    const rows = users.map(({ userId, state, nextRun, destinations }) => [
      userId,
      state,
      nextRun ?? '-',
      destinations
        .map(({ destination, lastRun }) => `${destination} (${lastRun ?? 'no run yet'})`)
        .join(', '),
    ]);
    say(
      rows.length === 0
        ? 'There is no user.'
        : formatTable(['user', 'settings', 'next run', 'destinations and last run'], rows),
    );
    return { result: users };
  },
});

function describe({ userId, spec, status }: StoredUser) {
  return {
    userId,
    state: status?.state ?? 'not checked yet',
    nextRun: status?.nextRun,
    destinations: destinationNames(spec).map((destination) => {
      const { lastGood, lastRun } = status?.destinations[destination] ?? {};
      return { destination, lastRun: lastRun?.outcome, lastGood };
    }),
  };
}
