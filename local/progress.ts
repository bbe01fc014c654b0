import type { DeliveryLog, TransferState } from './delivery-log.ts';
import { formatBytes, formatRate, formatSeconds } from './measures.ts';

const REDRAW_MS = 250;
const PLAIN_LINE_MS = 3000;
const BAR_WIDTH = 24;

/** What people see while it runs. */
export interface Progress extends Disposable {
  /** A line that stays. */
  say(line: string): void;
}

/**
 * Shows the transfers under way: on a terminal as lines that are redrawn in place, elsewhere as a
 * plain line for each every few seconds.
 */
export function showProgress(log: DeliveryLog, out: NodeJS.WriteStream): Progress {
  return out.isTTY ? redrawn(log, out) : plain(log, out);
}

function redrawn(log: DeliveryLog, out: NodeJS.WriteStream): Progress {
  let drawn = 0;
  const clear = () => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    clear();
    const width = Math.max(20, out.columns - 1);
    for (const transfer of log.underWay()) {
      out.write(`${describe(transfer, true).slice(0, width)}\n`);
      drawn += 1;
    }
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    say(line) {
      clear();
      out.write(`${line}\n`);
      draw();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      clear();
    },
  };
}

function plain(log: DeliveryLog, out: NodeJS.WriteStream): Progress {
  const timer = setInterval(() => {
    for (const transfer of log.underWay()) out.write(`${describe(transfer, false)}\n`);
  }, PLAIN_LINE_MS);
  return {
    say: (line) => void out.write(`${line}\n`),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** One transfer as one line: how much of it, how fast, how long it still takes. */
export function describe(transfer: TransferState, withBar: boolean): string {
  const { archive, at, bytes, bytesThen, destination, since, total } = transfer;
  const share = total > 0 ? bytes / total : 1;
  const filled = Math.round(share * BAR_WIDTH);
  const rate = (bytes - bytesThen) / Math.max(0.001, (at - since) / 1000);
  const speed =
    rate > 0
      ? [formatRate(rate), `${formatSeconds((total - bytes) / rate)} left`]
      : ['rate not known yet'];
  return [
    `  ${archive} → ${destination}`,
    ...(withBar ? [`${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`] : []),
    `${Math.floor(share * 100)} %`,
    `${formatBytes(bytes)} of ${formatBytes(total)}`,
    ...speed,
  ].join('  ');
}
