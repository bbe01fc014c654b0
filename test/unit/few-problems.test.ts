import { describe, expect, it } from 'vitest';
import { settingsRefused } from '../../functions/core/event.ts';
import { isPolicyAlone } from '../../functions/core/policy.ts';
import { fewProblems } from '../../functions/core/problem.ts';

const problems = (count: number, rule?: string) =>
  Array.from({ length: count }, (_, at) => ({
    path: `spec.destinations.d${at}.type`,
    problem: 'No.',
    remedy: 'Another.',
    ...(rule === undefined ? {} : { rule }),
  }));

describe('more problems than a row has room for', () => {
  it.each([0, 1, 50, 51, 52, 3000])('are counted all the same: %i', (count) => {
    const told = fewProblems(problems(count));
    expect(told.length).toBeLessThanOrEqual(51);
    expect(settingsRefused('ada', 'hash', told).problemCount).toBe(count);
  });

  it("are the policy's alone where each of them is", () => {
    expect(isPolicyAlone(fewProblems(problems(120, 'types')))).toBe(true);
    expect(isPolicyAlone(fewProblems([...problems(120, 'types'), ...problems(1)]))).toBe(false);
    expect(isPolicyAlone(fewProblems([...problems(1), ...problems(120, 'types')]))).toBe(false);
  });
});
