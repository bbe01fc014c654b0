import { join } from 'node:path';
import { type Duration, type RemovalPolicy, Token, Validations } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Architecture,
  LoggingFormat,
  type RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { z } from 'zod';
import { METRIC_NAMESPACE } from '../functions/platform/metric-names.ts';
import { allow } from './permissions.ts';

/** A value for every variable that a function's schema declares: a missing one does not compile. */
export type EnvironmentOf<Schema extends z.ZodObject> = {
  readonly [Name in keyof z.output<Schema>]: string;
};

export interface FerryFunctionProps<Schema extends z.ZodObject> {
  /** The folder below `functions/` whose `handler.ts` exports `handler`; also the metrics' `service`. */
  readonly name: string;
  readonly description: string;
  readonly timeout: Duration;
  /** MB; a function has one whole vCPU at 1769. */
  readonly memoryMb: number;
  /** What the handler reads its environment with. */
  readonly schema: Schema;
  readonly environment: EnvironmentOf<Schema>;
  /** All that its role may do, besides writing its own logs and traces. */
  readonly permissions: readonly PolicyStatement[];
  readonly logs: LogSettings;
  /** Imports, as they are written, of what this function never comes to: its bundle is without them. */
  readonly leaveOut?: readonly string[];
  /** @default Lambda ends a message that comes back to the same function for the 16th time */
  readonly recursiveLoop?: RecursiveLoop;
}

/** How functions keep their logs. */
export interface LogSettings {
  readonly key: IKey;
  readonly retention: RetentionDays;
  readonly removalPolicy: RemovalPolicy;
}

const ROOT = join(import.meta.dirname, '..');

/**
 * V8 lets short-lived objects fill up to 32 MiB before it looks at them, and archives pass as such
 * objects: a smaller nursery took 70 MiB off the memory of an SSH transfer at the same CPU time. Source
 * maps are not for Node to read, see `functions/platform/source-places.ts`.
 */
const NODE_OPTIONS = ['--max-semi-space-size=1'] as const;

/**
 * What libraries ask for in cases that never are, as they write it: its absence is either tried for or
 * never met.
 */
const NEVER_LOADED = [
  // Native accelerators of ssh2, which does without them.
  'cpu-features',
  '*.node',
  // Where the SDK finds keys when the environment, which on Lambda always has them, has none.
  ...['ini', 'login', 'process', 'sso', 'web-identity'].map(
    (name) => `@aws-sdk/credential-provider-${name}`,
  ),
  '@smithy/credential-provider-imds',
  // A format of lists that Azure's client asks for on demand only.
  'apache-arrow',
  // For a Node without streams of the web.
  'web-streams-polyfill/*',
];

/** What CommonJS dependencies such as ssh2 use and an ES module does not have. */
const COMMONJS_GLOBALS = [
  "import { createRequire as requireFrom } from 'node:module';",
  'const require = requireFrom(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('');

/**
 * One Lambda function of Ferry: Node 24 on arm64, one bundled ES module that holds the AWS SDK in the
 * version tested here, JSON logs in a group of its own, tracing, and a role of written-out statements.
 */
export class FerryFunction<Schema extends z.ZodObject> extends Construct {
  readonly name: string;
  readonly lambda: NodejsFunction;

  constructor(scope: Construct, id: string, props: FerryFunctionProps<Schema>) {
    super(scope, id);
    this.name = props.name;
    const environment = checked(props.schema, props.environment);

    const logGroup = new LogGroup(this, 'Logs', {
      encryptionKey: props.logs.key,
      retention: props.logs.retention,
      removalPolicy: props.logs.removalPolicy,
    });
    Validations.of(logGroup).acknowledge({
      id: 'GuardRules::cloudwatch_log_group_retention_period_check',
      reason: 'The stage decides; what was delivered stays in the runs table, not in logs.',
    });

    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: props.description,
      inlinePolicies: {
        Logs: new PolicyDocument({
          statements: [
            allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]),
          ],
        }),
        Work: new PolicyDocument({ statements: [...props.permissions] }),
      },
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray knows no resources, so the right to write traces is on all of them.',
    });

    this.lambda = new NodejsFunction(this, 'Function', {
      description: props.description,
      entry: join(ROOT, 'functions', props.name, 'handler.ts'),
      projectRoot: ROOT,
      depsLockFilePath: join(ROOT, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMb,
      timeout: props.timeout,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      ...(props.recursiveLoop && { recursiveLoop: props.recursiveLoop }),
      environment: {
        ...environment,
        NODE_OPTIONS: NODE_OPTIONS.join(' '),
        POWERTOOLS_SERVICE_NAME: props.name,
        POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
      },
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        mainFields: ['module', 'main'],
        minify: true,
        sourceMap: true,
        sourcesContent: false,
        // Naming externals also takes the AWS SDK off the list of them, so that it is bundled.
        externalModules: [...NEVER_LOADED, ...(props.leaveOut ?? [])],
        banner: COMMONJS_GLOBALS,
      },
    });
    Validations.of(this.lambda).acknowledge(
      {
        id: 'Serverless-LambdaDLQ',
        reason: 'What invokes it has the dead-letter queue: its queue, stream or schedule.',
      },
      {
        id: 'GuardRules::lambda_inside_vpc_check',
        reason:
          'Destinations are on the internet: a VPC would add a NAT gateway that bills each byte.',
      },
    );
  }
}

/** The variables as strings, those known at synthesis held against the schema already now. */
function checked<Schema extends z.ZodObject>(
  schema: Schema,
  environment: EnvironmentOf<Schema>,
): Record<string, string> {
  const variables: Record<string, string> = environment;
  for (const [name, value] of Object.entries(variables)) {
    if (!Token.isUnresolved(value)) schema.shape[name]?.parse(value);
  }
  return variables;
}
