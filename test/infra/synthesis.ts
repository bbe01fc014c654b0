import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type AppProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';
import { buildFerry } from '../../infra/ferry.ts';
import type { Stage } from '../../infra/stages.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/** The context of cdk.json, which the CLI gives to the app and nobody else does. */
export const cdkContext = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'))).context;

export type Ferry = ReturnType<typeof buildFerry>;

/** A folder that is removed at the end of its block. */
export function scratchFolder() {
  return mkdtempDisposableSync(join(tmpdir(), 'ferry-synthesis-'));
}

/** An app as the CLI makes it, except that no function is bundled. */
export function createApp(props: AppProps): App {
  return new App({ ...props, context: { ...cdkContext, 'aws:cdk:bundling-stacks': [] } });
}

/** The templates of a stage, unchecked. */
export function synthesize(stage: Stage): {
  readonly state: Template;
  readonly pipeline: Template;
  /** Of the stacks, in this order. */
  readonly names: readonly string[];
} {
  using folder = scratchFolder();
  const app = createApp({ outdir: folder.path, builtinCloudFormationValidation: false });
  const { state, pipeline } = buildFerry(app, stage);
  const assembly = app.synth();
  return {
    names: [state.stackName, pipeline.stackName],
    state: Template.fromJSON(assembly.getStackArtifact(state.artifactId).template),
    pipeline: Template.fromJSON(assembly.getStackArtifact(pipeline.artifactId).template),
  };
}

/** Every resource of a type by logical id, its properties parsed. */
export function propertiesOf<Schema extends z.ZodType>(
  template: Template,
  type: string,
  schema: Schema,
): ReadonlyMap<string, z.output<Schema>> {
  const resources = z
    .record(z.string(), z.object({ Properties: z.unknown() }))
    .parse(template.findResources(type));
  return new Map(
    Object.entries(resources).map(([id, found]) => [id, schema.parse(found.Properties)] as const),
  );
}
