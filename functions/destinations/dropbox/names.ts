/** Files that Dropbox does not keep: help.dropbox.com/sync/ignored-files and rclone/rclone#108. */
const IGNORED = ['desktop.ini', 'thumbs.db', '.ds_store', 'icon\r', '.dropbox', '.dropbox.attr'];
const LONGEST = 255;

/**
 * Why Dropbox cannot keep a file or folder under this name, worded to go after "Dropbox cannot keep …";
 * undefined where it can (help.dropbox.com/organize/file-names).
 */
export function nameProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'a path with ".", ".." or an empty name';
  if (name.includes('\\')) return 'a name with a backslash';
  if (/[\0\x7f]/.test(name)) return 'a name with control characters';
  if (/\s$/u.test(name)) return 'a name with a space at its end';
  if (name.length > LONGEST) return `a name of more than ${LONGEST} characters`;
  if (IGNORED.includes(name.toLowerCase())) {
    return 'a file of this name, which it takes for one of an operating system or of its own';
  }
  return undefined;
}

/** The first thing that is wrong with a path, below any folder. */
export function pathProblem(path: string): string | undefined {
  for (const name of path.split('/')) {
    const problem = nameProblem(name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * A path as Dropbox has it. It composes letters (Unicode NFC) when it stores a name and finds nothing
 * under a decomposed one (samschott/maestral#409 and #678).
 */
export function toApiPath(folder: string, path: string): string {
  const whole = [folder, path].filter((part) => part !== '').join('/');
  return whole === '' ? '' : `/${whole.normalize('NFC')}`;
}

/** The same path again, below the folder; letters stay composed. */
export function fromApiPath(folder: string, path: string): string {
  const depth = folder === '' ? 1 : folder.split('/').length + 1;
  return path.split('/').slice(depth).join('/');
}

/** Whether Dropbox, to which capital letters are the same as small ones, has another name in mind. */
export function isTwin(path: string, existing: string): boolean {
  return lastName(path) !== lastName(existing);
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).normalize('NFC');
}
