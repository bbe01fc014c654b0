import { markdownTable } from '../docs/markdown-table.ts';
import { vcpusOf } from './function-memory.ts';
import { requestsOf, unitsOf } from './request-count.ts';
import type { Tick } from './tick.ts';

const HEAD = [
  ...['due users', 'handled', 's', 'users/s', 'CPU ms a user', 'its memory, MB', 'users/s there'],
  ...['Query', 'GetItem', 'BatchGetItem', 'UpdateItem', 'SendMessageBatch'],
  ...['write units a user', 'read units a user', 'peak MiB'],
];

/** What ticks did, a line each, as Markdown. */
export function describeTicks(ticks: readonly Tick[]): string {
  if (ticks.length === 0) return '';
  const sorted = ticks.toSorted((one, other) => one.users - other.users);
  return `${markdownTable(HEAD, sorted.map(cells))}\n`;
}

function cells(tick: Tick): string[] {
  const { cpuMs, handled, memoryMb, ms, peakRssMiB, requests, users } = tick;
  const cpuOfOne = cpuMs / handled;
  const share = vcpusOf(memoryMb);
  const { reads, writes } = unitsOf(requests);
  const dynamodb = (operation: string) =>
    requestsOf(requests, 'DynamoDB', operation).toLocaleString('en');
  return [
    ...[users.toLocaleString('en'), handled.toLocaleString('en'), (ms / 1000).toFixed(1)],
    ...[`${Math.round((handled / ms) * 1000)}`, cpuOfOne.toFixed(2)],
    ...[`${memoryMb}`, `${Math.round((1000 * share) / cpuOfOne)}`],
    ...['Query', 'GetItem', 'BatchGetItem', 'UpdateItem'].map(dynamodb),
    requestsOf(requests, 'SQS', 'SendMessageBatch').toLocaleString('en'),
    ...[writes, reads].map((units) => (units / users).toFixed(2)),
    `${peakRssMiB}`,
  ];
}
