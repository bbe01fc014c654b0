/** Files that Dropbox does not keep: help.dropbox.com/sync/ignored-files and `disallowed_name` of the API. */
const DISALLOWED = ['desktop.ini', 'thumbs.db', '.ds_store', 'icon\r', '.dropbox', '.dropbox.attr'];
const LONGEST_NAME = 255;

/** What Dropbox has against a path, as the tag of a `WriteError`; undefined where it takes the path. */
export function nameProblem(path: string): 'malformed_path' | 'disallowed_name' | undefined {
  const names = path.split('/').slice(1);
  // help.dropbox.com/organize/file-names: a backslash is always disallowed, a space at the end too.
  const isMalformed = (name: string) =>
    name === '' ||
    name === '.' ||
    name === '..' ||
    name.length > LONGEST_NAME ||
    /[\\\0\x7f]|\s$/u.test(name);
  if (names.some(isMalformed)) return 'malformed_path';
  const isDisallowed = (name: string) => DISALLOWED.includes(name.toLowerCase());
  return names.some(isDisallowed) ? 'disallowed_name' : undefined;
}

/** Dropbox composes letters when it stores a name (samschott/maestral, `utils/path.py`). */
export function storedPath(path: string): string {
  return path.normalize('NFC');
}

/** Names are the same whatever their case; a decomposed letter does not find the composed one. */
export function keyOf(path: string): string {
  return path.toLowerCase();
}
