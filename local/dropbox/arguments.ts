import { z } from 'zod';

/**
 * Arguments of the routes, by the names of files.stone (github.com/dropbox/dropbox-api-spec), as far as
 * the fake heeds them. Strict: like Dropbox, it refuses what it does not know.
 */
const hash = z.string().length(64).nullish();
const offset = z.number().int().min(0);
/** Void members of a union may be given by their tag alone. */
const tagged = <Tag extends string>(...tags: readonly [Tag, ...Tag[]]) =>
  z.union([z.enum(tags), z.strictObject({ '.tag': z.enum(tags) }).transform((one) => one['.tag'])]);

const writePath = z.string().regex(/^\/.*$/s, 'did not match pattern');
const readPath = z.string().regex(/^\/.*$/s, 'did not match pattern');
const folderPath = z.string().regex(/^(\/.*)?$/s, 'did not match pattern');

export const cursor = z.strictObject({ session_id: z.string(), offset });

export const commitInfo = z.strictObject({
  path: writePath,
  mode: z
    .union([
      tagged('add', 'overwrite'),
      z.strictObject({ '.tag': z.literal('update'), update: z.string() }),
    ])
    .default('add'),
  autorename: z.boolean().default(false),
  client_modified: z.string().nullish(),
  mute: z.boolean().default(false),
  strict_conflict: z.boolean().default(false),
});

export type CommitInfo = z.output<typeof commitInfo>;

export const upload = commitInfo.extend({ content_hash: hash });

export const sessionStart = z.strictObject({
  close: z.boolean().default(false),
  session_type: tagged('sequential', 'concurrent').nullish(),
  content_hash: hash,
});

export const sessionAppend = z.strictObject({
  cursor,
  close: z.boolean().default(false),
  content_hash: hash,
});

export const sessionFinish = z.strictObject({ cursor, commit: commitInfo, content_hash: hash });

export const sessionFinishBatch = z.strictObject({
  entries: z.array(sessionFinish).max(1000),
});

/** What of an entry is told, too: it has none of these here. */
const included = {
  include_media_info: z.boolean().default(false),
  include_has_explicit_shared_members: z.boolean().default(false),
};

export const listFolder = z.strictObject({
  ...included,
  path: folderPath,
  recursive: z.boolean().default(false),
  include_deleted: z.boolean().default(false),
  include_mounted_folders: z.boolean().default(true),
  include_non_downloadable_files: z.boolean().default(true),
  limit: z.number().int().min(1).max(2000).nullish(),
});

export const listFolderContinue = z.strictObject({ cursor: z.string().min(1) });

export const getMetadata = z.strictObject({
  ...included,
  path: readPath,
  include_deleted: z.boolean().default(false),
});

export const download = z.strictObject({ path: readPath });

export const deleteFile = z.strictObject({ path: writePath, parent_rev: z.string().nullish() });

export const createFolder = z.strictObject({
  path: writePath,
  autorename: z.boolean().default(false),
});
