import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

/**
 * Ends a test run with one plain line, `N passed, N failed`, after naming every case that could not
 * be made here and why, and every one that failed with the first line of what it said: who is left
 * with the end of a log alone knows where to look.
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const withState = (state: string) => tests.filter((test) => test.result().state === state);
    // What fails outside of a test, such as a server that does not start.
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0);
    const skipped = withState('skipped');
    const failed = [
      ...withState('failed').map(
        (test) => `${placeOf(test)} > ${test.fullName}${told(test.result().errors)}`,
      ),
      ...broken.map((suite) => `${placeOf(suite)}${told(suite.errors())}`),
      ...unhandled.map((error) => `outside of any test${told([error])}`),
    ];
    const lines = [
      ...skipped.map((test) => `not here: ${test.fullName} (${reasonOf(test)})`),
      ...failed.map((line) => `failed: ${line}`),
      `${withState('passed').length} passed, ${failed.length} failed` +
        (skipped.length > 0 ? `, ${skipped.length} skipped` : ''),
    ];
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' && result.note) || 'no reason given';
}

function placeOf(entity: TestCase | TestModule | TestSuite): string {
  const module = entity.type === 'module' ? entity : entity.module;
  return entity.type === 'suite'
    ? `${module.relativeModuleId} > ${entity.fullName}`
    : module.relativeModuleId;
}

function told(errors: readonly unknown[] = []): string {
  const message = errors
    .map((error) => (error instanceof Object && 'message' in error ? error.message : error))
    .at(0);
  const [line] = stripVTControlCharacters(String(message ?? '')).split('\n');
  return line ? `: ${line}` : '';
}
