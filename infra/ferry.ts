import { type App, Tags } from 'aws-cdk-lib';
import { PipelineStack } from './pipeline-stack.ts';
import type { Stage } from './stages.ts';
import { StateStack } from './state-stack.ts';

/** Ferry as it is deployed: what is kept, and what works on it. */
export function buildFerry(app: App, stage: Stage): { state: StateStack; pipeline: PipelineStack } {
  const state = new StateStack(app, `Ferry-${stage.name}-State`, { stage });
  const pipeline = new PipelineStack(app, `Ferry-${stage.name}-Pipeline`, { stage, state });
  for (const stack of [state, pipeline]) Tags.of(stack).add('ferry:stage', stage.name);
  return { state, pipeline };
}
