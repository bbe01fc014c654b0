import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, type IPolicyValidationPlugin, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { addChecks } from '../../infra/checks.ts';
import { buildFerry } from '../../infra/ferry.ts';
import { findStage, type Stage } from '../../infra/stages.ts';
import { createApp, type Ferry, scratchFolder } from './synthesis.ts';

const reportSchema = z.object({
  pluginReports: z.array(
    z.object({
      pluginName: z.string(),
      conclusion: z.enum(['success', 'failure']),
      violations: z.array(
        z.object({
          ruleName: z.string(),
          violatingConstructs: z.array(z.object({ constructPath: z.string() })),
        }),
      ),
    }),
  ),
});

/**
 * Synthesises a stage as `cdk synth` does, rules included.
 * @param change is applied before synthesis
 */
function check(stage: Stage, change?: (ferry: Ferry) => void) {
  using folder = scratchFolder();
  const app = createApp({ outdir: folder.path });
  const ferry = buildFerry(app, stage);
  change?.(ferry);
  addChecks(app);
  const counter = new ResourceCounter();
  Validations.of(app).addPlugins(counter);
  const failed = fails(app);
  const report = readFileSync(join(folder.path, 'validation-report.json'), 'utf8');
  const { pluginReports } = reportSchema.parse(JSON.parse(report));
  return { failed, checkedResources: counter.resources, pluginReports };
}

function fails(app: App): boolean {
  try {
    app.synth();
    return false;
  } catch (error) {
    expect(String(error)).toContain('ValidationFailed');
    return true;
  }
}

/** Sees what every other plugin is given. */
class ResourceCounter implements IPolicyValidationPlugin {
  readonly name = 'ResourceCounter';
  resources = 0;

  validate({ templatePaths }: Parameters<IPolicyValidationPlugin['validate']>[0]) {
    const template = z.object({ Resources: z.record(z.string(), z.unknown()) });
    for (const path of templatePaths) {
      const { Resources } = template.parse(JSON.parse(readFileSync(path, 'utf8')));
      this.resources += Object.keys(Resources).length;
    }
    return { success: true, violations: [] };
  }
}

const SLOW = { timeout: 120_000 };

describe('the rules', () => {
  it('find nothing in production that is not acknowledged with a reason', SLOW, () => {
    const prod = findStage('prod');
    const { failed, checkedResources, pluginReports } = check({
      ...prod,
      alarms: { ...prod.alarms, email: 'on-call@example.org' },
    });
    expect(failed).toBe(false);
    expect(pluginReports.flatMap((report) => report.violations)).toEqual([]);
    expect(checkedResources).toBeGreaterThan(40);
  });

  it('stop a synthesis for what was added without care, and for nothing else of dev', SLOW, () => {
    const { failed, pluginReports } = check(findStage('dev'), ({ pipeline, state }) => {
      new Queue(pipeline, 'BareQueue');
      new Bucket(state, 'BareBucket');
    });
    expect(failed).toBe(true);
    const failures = pluginReports.filter(({ conclusion }) => conclusion === 'failure');
    // Also GuardRules, of which other findings are acknowledged.
    expect(failures.map(({ pluginName }) => pluginName).sort()).toEqual([
      'AwsSolutions',
      'GuardRules',
      'Serverless',
    ]);
    const violations = pluginReports.flatMap((report) => report.violations);
    const blamed = violations.flatMap((violation) =>
      violation.violatingConstructs.map(({ constructPath }) => constructPath),
    );
    expect(blamed.filter((path) => !path.includes('/Bare'))).toEqual([]);
  });
});
