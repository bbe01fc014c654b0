import { markdownTable } from '../docs/markdown-table.ts';
import type { CountedRun } from './counted-run.ts';
import { requestsOf, unitsOf } from './request-count.ts';
import { sizeText } from './row.ts';

/** Operations that a job asks for, by the head of their column. */
const COLUMNS = [
  ['GetItem', 'DynamoDB', 'GetItem'],
  ['Query', 'DynamoDB', 'Query'],
  ['PutItem', 'DynamoDB', 'PutItem'],
  ['UpdateItem', 'DynamoDB', 'UpdateItem'],
  ['DeleteItem', 'DynamoDB', 'DeleteItem'],
] as const;
const OTHERS = [
  ['LIST', 'S3', 'ListObjectsV2'],
  ['HEAD', 'S3', 'HeadObject'],
  ['GET', 'S3', 'GetObject'],
  ['KMS', 'KMS', undefined],
] as const;

/** What jobs asked of the services, a line each, as Markdown. */
export function describeRequests(runs: readonly CountedRun[]): string {
  if (runs.length === 0) return '';
  const sorted = runs.toSorted(
    (one, other) =>
      one.archives - other.archives ||
      one.sizeMiB - other.sizeMiB ||
      one.type.localeCompare(other.type),
  );
  const head = [
    ...['type', 'archives'],
    ...COLUMNS.map(([name]) => name),
    ...['write units', 'read units'],
    ...OTHERS.map(([name]) => name),
  ];
  return `${markdownTable(head, sorted.map(cells))}\n`;
}

function cells(run: CountedRun): string[] {
  const { requests, type } = run;
  const { reads, writes } = unitsOf(requests);
  const of = ([, service, operation]: (typeof COLUMNS | typeof OTHERS)[number]) =>
    requestsOf(requests, service, operation).toLocaleString('en');
  const units = [writes, reads].map((used) => Math.ceil(used).toLocaleString('en'));
  return [type, sizeText(run), ...COLUMNS.map(of), ...units, ...OTHERS.map(of)];
}
