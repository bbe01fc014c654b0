/** What each round delivers: several parts of 8 MiB, and a last one that is small. */
export const ARCHIVE_BYTES = 25 * 1024 ** 2 + 11;
/** Its place below the user's folder; a name that protocols spell differently. */
export const ARCHIVE_FILE = 'html/Büro #1 100%.tar';
