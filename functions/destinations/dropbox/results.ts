import * as z from 'zod';

/** What Ferry reads of the answers of Dropbox, by the names of files.stone and users.stone. */
export const sessionStarted = z.object({ session_id: z.string().min(1) });

const instant = z.iso.datetime().transform((text) => new Date(text));

export const fileMetadata = z.object({
  name: z.string(),
  path_display: z.string(),
  rev: z.string(),
  size: z.number(),
  server_modified: instant,
  content_hash: z.string().optional(),
});

export type FileMetadata = z.output<typeof fileMetadata>;

/** A file, or anything else that may have a name. */
export const metadata = z.union([
  fileMetadata.extend({ '.tag': z.literal('file') }),
  z.object({ '.tag': z.enum(['folder', 'deleted']) }),
]);

export const listPage = z.object({
  entries: z.array(metadata),
  cursor: z.string(),
  has_more: z.boolean(),
});

/** In bytes; of a team, what all of its members share. */
export const spaceUsage = z.object({
  used: z.number(),
  allocation: z.union([
    z.object({ '.tag': z.literal('individual'), allocated: z.number() }),
    z.object({ '.tag': z.literal('team'), allocated: z.number(), used: z.number() }),
    z.object({ '.tag': z.literal('other') }),
  ]),
});
