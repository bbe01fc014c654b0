/** The bytes `from` up to, not including, `to` of a content that is `block` again and again. */
export function* repeated(block: Buffer, from: number, to: number): Generator<Buffer> {
  for (let at = from; at < to; ) {
    const start = at % block.length;
    const bytes = block.subarray(start, Math.min(block.length, start + to - at));
    at += bytes.length;
    yield bytes;
  }
}
