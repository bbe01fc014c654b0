/** Texts are made a multiple of this long, in bytes, so that a row does not tell how long a password is. */
const BLOCK = 64;
/** Ends the text; ISO/IEC 7816-4. */
const END = 0x80;

export function pad(text: string): Buffer {
  const bytes = Buffer.from(text);
  const padded = Buffer.alloc((Math.floor(bytes.length / BLOCK) + 1) * BLOCK);
  bytes.copy(padded);
  padded.writeUInt8(END, bytes.length);
  return padded;
}

/** @throws Error where the end is missing */
export function unpad(padded: Buffer): string {
  const end = padded.lastIndexOf(END);
  const rest = padded.subarray(end + 1);
  if (end < 0 || rest.some((byte) => byte !== 0)) throw new Error('The text has no end.');
  return padded.toString('utf8', 0, end);
}
