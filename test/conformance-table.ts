import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** How `conformance` (test/contract/conformance.ts) names its suites. */
const SUITE = /^(?<type>.+?) on (?<server>.+) keeps the destination contract > (?<name>.+)$/;

const MARKS = { passed: '✓', failed: '✗', skipped: '–', pending: '?' } as const;

/** What one case showed on each server of a type, by the server's name. */
type Row = Map<string, string>;

/** Shows how each destination type keeps the contract: a table of cases by servers. */
export class ConformanceTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const types = new Map<string, Map<string, Row>>();
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      const { type, server, name } = SUITE.exec(test.fullName)?.groups ?? {};
      if (type === undefined || server === undefined || name === undefined) continue;
      const rows = types.get(type) ?? new Map<string, Row>();
      const row: Row = rows.get(name) ?? new Map();
      types.set(type, rows.set(name, row.set(server, markOf(test))));
    }
    for (const [type, rows] of types) process.stdout.write(`\n${tableOf(type, rows)}\n`);
  }
}

function tableOf(type: string, rows: ReadonlyMap<string, Row>): string {
  const servers = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))];
  const width = String(servers.length).length;
  const line = (cells: readonly string[], text: string) =>
    `  ${cells.map((cell) => cell.padStart(width)).join(' ')}  ${text}`;
  return [
    `${type} and the destination contract (– is explained below)`,
    ...servers.map((server, at) => `  ${String(at + 1).padStart(width)} ${server}`),
    line(
      servers.map((_, at) => String(at + 1)),
      '',
    ),
    ...[...rows].map(([name, row]) =>
      line(
        servers.map((server) => row.get(server) ?? ' '),
        name,
      ),
    ),
  ].join('\n');
}

function markOf(test: TestCase): string {
  return MARKS[test.result().state];
}
