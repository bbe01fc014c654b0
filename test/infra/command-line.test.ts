import { describe, expect, it } from 'vitest';
import { stackNames } from '../../cli/deployed.ts';
import { findStage } from '../../infra/stages.ts';
import { deploymentOutputs } from '../../local/running-ferry.ts';
import { synthesize } from './synthesis.ts';

describe('what the command line looks for', () => {
  const templates = synthesize(findStage('prod'));

  it('are the stacks as they are called, with every output that it needs', () => {
    expect(templates.names).toEqual(stackNames('prod'));
    const outputs = [templates.state, templates.pipeline].flatMap((template) =>
      Object.keys(template.findOutputs('*')),
    );
    expect(outputs).toEqual(expect.arrayContaining(Object.keys(deploymentOutputs.shape)));
  });
});
