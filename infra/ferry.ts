import { type App, Tags } from 'aws-cdk-lib';
import { addChecks } from './checks.ts';
import { PipelineStack } from './pipeline-stack.ts';
import type { Stage } from './stages.ts';
import { StateStack } from './state-stack.ts';

/** Ferry as it is deployed: what is kept, what works on it, and the rules that both are held to. */
export function buildFerry(app: App, stage: Stage): { state: StateStack; pipeline: PipelineStack } {
  const state = new StateStack(app, `Ferry-${stage.name}-State`, { stage });
  const pipeline = new PipelineStack(app, `Ferry-${stage.name}-Pipeline`, { stage, state });
  for (const stack of [state, pipeline]) Tags.of(stack).add('ferry:stage', stage.name);
  addChecks(app);
  return { state, pipeline };
}
