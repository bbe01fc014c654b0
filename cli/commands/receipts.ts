import { z } from 'zod';
import type { Receipt } from '../../functions/core/receipt.ts';
import { openHistory } from '../../functions/runs/history.ts';
import { defineCommand } from '../command.ts';
import { destination, limit, userId } from '../given.ts';
import { formatBytes, formatTable } from '../tables.ts';
import { assertThere } from '../users.ts';

export const receipts = defineCommand({
  name: 'receipts',
  summary: 'lists what was delivered, newest first, and how that was proven',
  about: `Each has the SHA-256 of the archive, which "sha256sum" on the delivered file prints, too.`,
  arguments: { '<id>': 'the user', '[destination]': 'one destination; all without it' },
  options: { '--limit <number>': 'how many at most (default: 50)' },
  examples: ['ferry receipts alice', 'ferry receipts alice nas --json'],
  given: z.object({ id: userId, destination: destination.optional(), limit: limit.default(50) }),
  async run({ id, destination: only, limit: most }, { ferry, say }) {
    const open = await ferry();
    const found: Receipt[] = [];
    const all = openHistory(open.documents, open.outputs.RunsTable).receipts(id, only);
    for await (const receipt of all) found.push(receipt);
    if (found.length === 0) await assertThere(open, id, only);
    found.sort((a, b) => (a.deliveredAt > b.deliveredAt ? -1 : 1));
    const newest = found.slice(0, most);
    const rows = newest.map(({ archive, deliveredAt, destination: name, digest, proof }) => [
      deliveredAt,
      name,
      `${archive.component}/${archive.file}`,
      formatBytes(digest.size),
      `${proof.verified}: ${proof.how}`,
      digest.sha256,
    ]);
    const headings = ['delivered', 'destination', 'archive', 'size', 'proven by', 'sha256'];
    say(rows.length === 0 ? 'Nothing was delivered yet.' : formatTable(headings, rows));
    return { result: newest };
  },
});
