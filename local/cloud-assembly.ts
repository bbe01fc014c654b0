import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';

/** The checkout that this file belongs to. */
export const PROJECT = dirname(import.meta.dirname);

const template = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      Metadata: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
  Outputs: z
    .record(z.string(), z.object({ Value: z.unknown(), Export: z.unknown().optional() }))
    .default({}),
});
export type Template = z.infer<typeof template>;

/** One synthesised stack. */
export interface SynthesisedStack {
  readonly name: string;
  readonly template: Template;
}

/** What `cdk synth` writes: the templates that CloudFormation gets, and the bundles beside them. */
export interface CloudAssembly {
  readonly folder: string;
  readonly stacks: readonly SynthesisedStack[];
}

const cdkJson = z.object({ context: z.record(z.string(), z.unknown()) });

const manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      properties: z.looseObject({ templateFile: z.string().optional() }).optional(),
    }),
  ),
});

/** What the `cdk` command adds to the context; makes each function's template name its bundle. */
const CLI_CONTEXT = { 'aws:cdk:enable-asset-metadata': true };

/**
 * Runs the CDK app, as the `cdk` command does, with its output going to `folder`: the same code, the
 * same context and the same bundling as for a deployment.
 * @throws Error with what the app printed, when it failed
 */
export async function synthesise(folder: string, signal: AbortSignal): Promise<CloudAssembly> {
  const { context } = cdkJson.parse(JSON.parse(await readFile(join(PROJECT, 'cdk.json'), 'utf8')));
  const app = spawn(process.execPath, ['infra/app.ts'], {
    cwd: PROJECT,
    env: {
      ...process.env,
      // Bundling starts programs by their name: they are to find this very Node.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      CDK_OUTDIR: folder,
      CDK_CONTEXT_JSON: JSON.stringify({ ...context, ...CLI_CONTEXT }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that ending it also ends the bundlers that it started.
    detached: true,
  });
  const endGroup = () => {
    if (app.pid !== undefined && app.exitCode === null) process.kill(-app.pid, 'SIGKILL');
  };
  const printed: Buffer[] = [];
  app.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  app.stderr.on('data', (chunk: Buffer) => printed.push(chunk));
  signal.addEventListener('abort', endGroup);
  process.once('exit', endGroup);
  try {
    const [code] = await once(app, 'close');
    signal.throwIfAborted();
    if (code !== 0) {
      throw new Error(`The CDK app failed.\n${Buffer.concat(printed).toString().trim()}`);
    }
  } finally {
    signal.removeEventListener('abort', endGroup);
    process.off('exit', endGroup);
  }
  return readAssembly(folder);
}

/** Reads what an earlier synthesis left in `folder`. */
export async function readAssembly(folder: string): Promise<CloudAssembly> {
  const readJson = async (file: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, file), 'utf8'));
  const { artifacts } = manifest.parse(await readJson('manifest.json'));
  const stacks: SynthesisedStack[] = [];
  for (const [id, artifact] of Object.entries(artifacts)) {
    const file = artifact.properties?.templateFile;
    if (artifact.type !== 'aws:cloudformation:stack' || file === undefined) continue;
    const name = z.string().catch(id).parse(artifact.properties?.stackName);
    stacks.push({ name, template: template.parse(await readJson(file)) });
  }
  return { folder, stacks };
}
