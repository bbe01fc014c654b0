/** A line that says how far something is. */
export interface Progress extends Disposable {
  tell(line: string): void;
}

/** How often a line is written where lines stay, in ms. */
const EVERY_MS = 5_000;

/**
 * Progress on standard error: in one line that changes on a terminal, else now and then in a new one.
 */
export function showProgress(): Progress {
  const { stderr } = process;
  let toldAt = 0;
  let told = '';
  return {
    tell(line) {
      if (line === told) return;
      if (stderr.isTTY) stderr.write(`\r\u001b[K${line}`);
      else if (Date.now() - toldAt >= EVERY_MS) {
        stderr.write(`${line}\n`);
        toldAt = Date.now();
      } else return;
      told = line;
    },
    [Symbol.dispose]() {
      if (stderr.isTTY && told !== '') stderr.write('\r\u001b[K');
    },
  };
}
