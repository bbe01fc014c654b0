import { z } from 'zod';
import type { SynthesisedStack } from './cloud-assembly.ts';
import type { Intrinsics } from './intrinsics.ts';

/** One resource of a synthesised stack, with everything that is read from it evaluated. */
export interface StackResource {
  /** What the `Ref` function gives: the name, for a queue its URL. */
  readonly ref: string;
  /** What `Fn::GetAtt` gives. */
  attribute(name: string): string;
  /**
   * The properties that the schema names, and no others.
   * @throws Error naming the resource when they do not fit the schema
   */
  properties<Schema extends z.ZodObject>(schema: Schema): z.output<Schema>;
  metadata<Schema extends z.ZodObject>(schema: Schema): z.output<Schema>;
}

/** Every resource of a type, in the order of stacks and templates. */
export function findResources(
  stacks: readonly SynthesisedStack[],
  type: string,
  intrinsics: Intrinsics,
): StackResource[] {
  return stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([logicalId, { Properties, Metadata }]) => {
        const evaluate = (value: unknown) => intrinsics.evaluate(value, stack);
        const parse = <Schema extends z.ZodObject>(
          schema: Schema,
          from: Record<string, unknown>,
        ) => {
          const named = Object.entries(from).filter(([name]) => name in schema.shape);
          const parsed = schema.safeParse(evaluate(Object.fromEntries(named)));
          if (parsed.success) return parsed.data;
          const problem = z.prettifyError(parsed.error);
          throw new Error(
            `${type} ${logicalId} of ${stack.name} is unlike what runs here.\n${problem}`,
          );
        };
        return {
          get ref() {
            return z.string().parse(evaluate({ Ref: logicalId }));
          },
          attribute: (name) => z.string().parse(evaluate({ 'Fn::GetAtt': [logicalId, name] })),
          properties: (schema) => parse(schema, Properties),
          metadata: (schema) => parse(schema, Metadata),
        };
      }),
  );
}
