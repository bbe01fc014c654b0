/** The types of destination there are, for whoever needs to know no more than their names. */
export const TYPE_NAMES = ['azure', 'dropbox', 's3', 'ssh', 'webdav'] as const;
export type TypeName = (typeof TYPE_NAMES)[number];
