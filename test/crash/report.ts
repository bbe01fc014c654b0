import { formatSeconds } from '../../local/measures.ts';
import { ARCHIVE_BYTES } from './archive.ts';
import type { CampaignResult } from './campaign.ts';
import type { RoundResult } from './round.ts';

/** What one type came to, for programs. */
export interface Row {
  readonly type: string;
  readonly rounds: number;
  readonly kills: number;
  /** Restarts, cuts, and requests or answers that were lost or came late. */
  readonly faults: number;
  readonly failures: number;
  /** Bytes sent to the destination over the bytes of the archives. */
  readonly bytesRatio: number;
}

export function toRow({ place, rounds, missed }: CampaignResult): Row {
  const sum = (of: (round: RoundResult) => number) => rounds.reduce((n, one) => n + of(one), 0);
  return {
    type: place.type,
    rounds: rounds.length,
    kills: sum((one) => one.killed.length + one.surprises),
    faults: sum((one) => one.restarts + one.cuts + one.lost + one.late),
    failures: sum((one) => one.failures.length) + missed.length,
    bytesRatio: round(sum((one) => one.sentBytes) / (rounds.length * ARCHIVE_BYTES)),
  };
}

/** One line: what went wrong, what it cost, and whether everything was well in the end. */
export function describeRound(one: RoundResult): string {
  const killed = one.killed.map(({ step, when }) => `${when} ${step}`);
  const others = [
    ...counted(one.surprises, 'kill at a random moment', 'kills at random moments'),
    ...counted(one.restarts, 'restart'),
    ...counted(one.cuts, 'cut'),
    ...counted(one.lost, 'lost'),
    ...counted(one.late, 'late'),
  ];
  const what = [...(killed.length > 0 ? [`killed ${killed.join(', ')}`] : []), ...others];
  const cost = [
    `${one.hops} hops`,
    `${round(one.sentBytes / ARCHIVE_BYTES)} × bytes`,
    ...(one.recoveryMs > 0 ? [`went on within ${formatSeconds(one.recoveryMs / 1000)}`] : []),
    formatSeconds(one.ms / 1000),
  ];
  const verdict = one.failures.length === 0 ? '✓' : `✗ ${one.failures.join('; ')}`;
  return `${verdict} ${one.userId}: ${what.join(', ') || one.trouble.name}. ${cost.join(', ')}`;
}

/** Where workers of one type were killed, a line a step; a step that was never met is a failure. */
export function describeSteps({ place, rounds, missed }: CampaignResult): string {
  const all = [...new Set(rounds.flatMap(({ trouble }) => trouble.kills.map((k) => k.step)))];
  const order = rounds[0]?.steps ?? [];
  const met = order.filter((step) => all.includes(step));
  const width = Math.max(0, ...met.map((step) => step.length));
  const mark = (step: string, when: 'before' | 'after') => {
    const of = rounds.filter((one) => one.killed.some((k) => k.step === step && k.when === when));
    if (of.some(({ failures }) => failures.length > 0)) return '✗';
    if (of.length > 0) return '✓';
    return missed.some((kill) => kill.step === step && kill.when === when) ? 'never met' : '–';
  };
  const lines = met.map(
    (step) =>
      `  ${step.padEnd(width)}  before ${mark(step, 'before')}  after ${mark(step, 'after')}`,
  );
  return [`${place.type} on ${place.server}: a worker killed at each step`, ...lines].join('\n');
}

export function formatTable(results: readonly CampaignResult[]): string {
  const head = ['type', 'server', 'rounds', 'kills', 'restarts', 'cuts', 'lost', 'late', 'failed'];
  const rows = results.map((result) => {
    const { place, rounds } = result;
    const { kills, failures, bytesRatio } = toRow(result);
    const sum = (of: (round: RoundResult) => number) => rounds.reduce((n, one) => n + of(one), 0);
    const worst = Math.max(0, ...rounds.map(({ recoveryMs }) => recoveryMs));
    return [
      ...[place.type, place.server, `${rounds.length}`, `${kills}`],
      ...[sum((one) => one.restarts), sum((one) => one.cuts)].map(String),
      ...[sum((one) => one.lost), sum((one) => one.late), failures].map(String),
      ...[`${bytesRatio}`, formatSeconds(worst / 1000)],
    ];
  });
  return columns([[...head, 'sent/size', 'went on within'], ...rows]);
}

export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((cells) => (cells[at] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return rows.map((cells) => line(cells).trimEnd()).join('\n');
}

function counted(count: number, one: string, many = one): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
}

function round(ratio: number): number {
  return Math.round(ratio * 1000) / 1000;
}
