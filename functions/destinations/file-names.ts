/** Longest file name on the file systems that servers use (NAME_MAX), in bytes. */
export const LONGEST_NAME = 255;

/** The longest start of a text that has at most so many bytes in UTF-8, cut between characters. */
export function shorten(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const characters: string[] = [];
  let length = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    characters.push(character);
  }
  return characters.join('');
}
