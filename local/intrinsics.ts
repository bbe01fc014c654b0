import { z } from 'zod';
import type { SynthesisedStack } from './cloud-assembly.ts';

/**
 * Evaluates CloudFormation's intrinsic functions over a set of stacks, with names of this machine in
 * place of what AWS would assign.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
export interface Intrinsics {
  /**
   * The value with everything in it evaluated.
   * @throws Error naming the intrinsic that is not known here
   */
  evaluate(value: unknown, stack: SynthesisedStack): unknown;
}

/** What stands for the attributes of a resource; undefined where there is no such attribute. */
export type AttributeLookup = (
  stack: SynthesisedStack,
  logicalId: string,
  /** `Ref` for what the Ref function gives. */
  attribute: string,
) => string | undefined;

/** AWS's pseudo parameters, such as `AWS::Region`. */
export type PseudoParameters = Readonly<Record<string, string>>;

const NO_VALUE = Symbol('AWS::NoValue');

const twoTexts = z.tuple([z.string(), z.string()]);
const getAtt = z.union([
  twoTexts,
  z.string().transform((text) => {
    const dot = text.indexOf('.');
    return [text.slice(0, dot), text.slice(dot + 1)] as const;
  }),
]);
const join = z.tuple([z.string(), z.array(z.unknown())]);
const sub = z.union([
  z.tuple([z.string(), z.record(z.string(), z.unknown())]),
  z.string().transform((text): [string, Record<string, unknown>] => [text, {}]),
]);
const select = z.tuple([z.coerce.number(), z.unknown()]);
const split = z.tuple([z.string(), z.unknown()]);
const stackOutput = z.object({ StackName: z.unknown(), OutputName: z.string() });
const plainObject = z.record(z.string(), z.unknown());

export function createIntrinsics(
  stacks: readonly SynthesisedStack[],
  pseudo: PseudoParameters,
  attributeOf: AttributeLookup,
): Intrinsics {
  const text = (value: unknown, stack: SynthesisedStack): string =>
    z.union([z.string(), z.number(), z.boolean()]).transform(String).parse(evaluate(value, stack));

  function attribute(stack: SynthesisedStack, logicalId: string, name: string): string {
    const found = attributeOf(stack, logicalId, name);
    if (found !== undefined) return found;
    const what = name === 'Ref' ? `Ref of ${logicalId}` : `Fn::GetAtt ${logicalId}.${name}`;
    throw new Error(`${stack.name}: nothing on this machine stands for ${what}.`);
  }

  function reference(name: string, stack: SynthesisedStack): unknown {
    if (name === 'AWS::NoValue') return NO_VALUE;
    if (name === 'AWS::StackName') return stack.name;
    return pseudo[name] ?? attribute(stack, name, 'Ref');
  }

  function output(wanted: string, find: (stack: SynthesisedStack, id: string) => boolean): unknown {
    for (const stack of stacks) {
      for (const [id, { Value }] of Object.entries(stack.template.Outputs)) {
        if (find(stack, id)) return evaluate(Value, stack);
      }
    }
    throw new Error(`No stack has the output ${wanted}.`);
  }

  const functions: Readonly<
    Record<string, (argument: unknown, stack: SynthesisedStack) => unknown>
  > = {
    Ref: (argument, stack) => reference(z.string().parse(argument), stack),
    'Fn::GetAtt': (argument, stack) => {
      const [logicalId, name] = getAtt.parse(argument);
      return attribute(stack, logicalId, name);
    },
    'Fn::Join': (argument, stack) => {
      const [separator, parts] = join.parse(argument);
      return parts.map((part) => text(part, stack)).join(separator);
    },
    'Fn::Sub': (argument, stack) => {
      const [pattern, variables] = sub.parse(argument);
      return pattern.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
        if (name.startsWith('!')) return `\${${name.slice(1)}}`;
        if (name in variables) return text(variables[name], stack);
        return text(name.includes('.') ? { 'Fn::GetAtt': name } : { Ref: name }, stack);
      });
    },
    'Fn::Select': (argument, stack) => {
      const [index, list] = select.parse(argument);
      return z.array(z.unknown()).parse(evaluate(list, stack))[index];
    },
    'Fn::Split': (argument, stack) => {
      const [separator, value] = split.parse(argument);
      return text(value, stack).split(separator);
    },
    'Fn::ImportValue': (argument, stack) => {
      const name = text(argument, stack);
      return output(`exported as ${name}`, (other, id) => {
        const exported = z
          .object({ Name: z.unknown() })
          .safeParse(other.template.Outputs[id]?.Export);
        return exported.success && text(exported.data.Name, other) === name;
      });
    },
    'Fn::GetStackOutput': (argument, stack) => {
      const wanted = stackOutput.parse(argument);
      const name = text(wanted.StackName, stack);
      return output(
        `${wanted.OutputName} of ${name}`,
        (other, id) => other.name === name && id === wanted.OutputName,
      );
    },
  };

  function evaluate(value: unknown, stack: SynthesisedStack): unknown {
    if (Array.isArray(value)) {
      return value.map((item) => evaluate(item, stack)).filter((item) => item !== NO_VALUE);
    }
    const object = plainObject.safeParse(value);
    if (!object.success) return value;
    const entries = Object.entries(object.data);
    const [only] = entries;
    if (only && entries.length === 1 && /^(Ref|Condition|Fn::.*)$/.test(only[0])) {
      const evaluateFunction = functions[only[0]];
      if (!evaluateFunction) {
        throw new Error(`${stack.name}: the intrinsic function ${only[0]} is not known here.`);
      }
      return evaluateFunction(only[1], stack);
    }
    return Object.fromEntries(
      entries
        .map(([name, item]) => [name, evaluate(item, stack)] as const)
        .filter(([, item]) => item !== NO_VALUE),
    );
  }

  return { evaluate };
}
