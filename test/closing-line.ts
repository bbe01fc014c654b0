import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Ends a test run with one plain line, `N passed, N failed`, after naming every case that could not
 * be made here and why.
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const withState = (state: string) => tests.filter((test) => test.result().state === state);
    // What fails outside of a test, such as a server that does not start.
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0).length;
    const skipped = withState('skipped');
    const lines = [
      ...skipped.map((test) => `not here: ${test.fullName} (${reasonOf(test)})`),
      `${withState('passed').length} passed, ` +
        `${withState('failed').length + broken + unhandled.length} failed` +
        (skipped.length > 0 ? `, ${skipped.length} skipped` : ''),
    ];
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' && result.note) || 'no reason given';
}
