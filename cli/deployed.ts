import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { type DeploymentOutputs, deploymentOutputs } from '../local/running-ferry.ts';
import { Failure, notFound } from './failure.ts';

const described = z.object({
  Stacks: z
    .array(
      z.object({
        Outputs: z.array(z.object({ OutputKey: z.string(), OutputValue: z.string() })).default([]),
      }),
    )
    .min(1),
});

/** The stacks of a stage, as the CDK app names them. */
export function stackNames(stage: string): readonly string[] {
  return [`Ferry-${stage}-State`, `Ferry-${stage}-Pipeline`];
}

/**
 * What a deployment consists of, by the outputs of its stacks.
 * @throws Failure where a stack is not there, or is of an older version of Ferry
 */
export async function readOutputs(
  client: CloudFormationClient,
  stage: string,
): Promise<DeploymentOutputs> {
  const found = await Promise.all(stackNames(stage).map((name) => readStack(client, name, stage)));
  const outputs = deploymentOutputs.safeParse(Object.assign({}, ...found));
  if (outputs.success) return outputs.data;
  const missing = outputs.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw new Failure(
    `The stacks of "${stage}" lack the output ${missing}: they are of an older version. Deploy this one first.`,
  );
}

async function readStack(
  client: CloudFormationClient,
  StackName: string,
  stage: string,
): Promise<Record<string, string>> {
  try {
    const answer = await client.send(new DescribeStacksCommand({ StackName }));
    const [stack] = described.parse(answer).Stacks;
    const outputs = stack?.Outputs ?? [];
    return Object.fromEntries(
      outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    );
  } catch (thrown) {
    // CloudFormation has no error of its own for it.
    if (!(thrown instanceof Error && /does not exist/.test(thrown.message))) throw thrown;
    throw notFound(
      `There is no stack ${StackName} in this account and Region. Name the stage that you deployed with --stage (now "${stage}"), its Region with --region, or give --local for a Ferry on this machine.`,
    );
  }
}
