import { z } from 'zod';
import { openHistory } from '../../functions/runs/history.ts';
import { defineCommand } from '../command.ts';
import { destination, limit, userId } from '../given.ts';
import { formatBytes, formatTable } from '../tables.ts';
import { assertThere } from '../users.ts';

export const runs = defineCommand({
  name: 'runs',
  summary: 'lists the runs of a user, newest first',
  arguments: { '<id>': 'the user', '[destination]': 'one destination; all without it' },
  options: { '--limit <number>': 'how many at most (default: 20)' },
  examples: ['ferry runs alice', 'ferry runs alice nas --limit 3 --json'],
  given: z.object({ id: userId, destination: destination.optional(), limit: limit.default(20) }),
  async run({ id, destination: only, limit: most }, { ferry, say }) {
    const open = await ferry();
    const found = [];
    for await (const { job, record } of openHistory(open.documents, open.outputs.RunsTable).jobs(
      id,
    )) {
      if (only !== undefined && job.destination !== only) continue;
      found.push({ ...job, ...record });
      if (found.length === most) break;
    }
    if (found.length === 0) await assertThere(open, id, only);
    const rows = found.map((each) => [
      each.slot,
      each.destination,
      each.state,
      String(each.archives),
      formatBytes(each.bytes),
      each.reason ?? each.errors.at(-1)?.message ?? '',
    ]);
    say(
      rows.length === 0
        ? 'There was no run yet.'
        : formatTable(['slot', 'destination', 'state', 'archives', 'size', 'why'], rows),
    );
    return { result: found };
  },
});
