import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { CloudAssembly } from './cloud-assembly.ts';
import type { QueueMapping } from './event-source.ts';
import { createIntrinsics } from './intrinsics.ts';
import type { FunctionDefinition } from './lambda-process.ts';
import { ACCOUNT, attributeOf, CREDENTIALS, REGION } from './local-names.ts';
import {
  functionMetadata,
  functionProperties,
  mappingProperties,
  queueProperties,
  scheduleProperties,
  type TableProperties,
  tableProperties,
} from './resource-properties.ts';
import { findResources, type StackResource } from './stack-resource.ts';

export interface QueueDefinition {
  readonly name: string;
  /** As `CreateQueue` takes them. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A table whose changes feed a function. */
export interface StreamMapping {
  readonly tableName: string;
  /** Names of the table's key attributes. */
  readonly keyNames: readonly string[];
  readonly streamArn: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly retryAttempts: number;
}

export interface ScheduleDefinition {
  readonly functionName: string;
  readonly rateMinutes: number;
  /** JSON in which `<aws.scheduler.scheduled-time>` stands for the planned instant. */
  readonly input: string;
}

export interface TableDefinition extends TableProperties {
  readonly name: string;
}

/** What a deployment consists of, read from its templates and named for this machine. */
export interface Topology {
  readonly tables: readonly TableDefinition[];
  readonly queues: readonly QueueDefinition[];
  /** Names. */
  readonly buckets: readonly string[];
  /** ARNs of encryption keys. */
  readonly keys: readonly string[];
  readonly functions: readonly FunctionDefinition[];
  readonly queueMappings: readonly (QueueMapping & { readonly functionName: string })[];
  readonly streamMappings: readonly StreamMapping[];
  readonly schedules: readonly ScheduleDefinition[];
  /**
   * The value of a stack's output.
   * @throws Error when no stack has an output of this name
   */
  output(name: string): string;
}

/** Where the embedded services listen, as URLs. */
export interface Endpoints {
  readonly dynamodb: string;
  readonly sqs: string;
  readonly s3: string;
  /** Of the event bus. */
  readonly events: string;
  readonly kms: string;
}

/**
 * Reads the templates of a deployment.
 * @throws Error naming the resource or the intrinsic function that has nothing to stand for it here
 */
export function readTopology({ folder, stacks }: CloudAssembly, endpoints: Endpoints): Topology {
  const pseudo = {
    'AWS::Region': REGION,
    'AWS::AccountId': ACCOUNT,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const intrinsics = createIntrinsics(stacks, pseudo, attributeOf(endpoints.sqs));
  const all = (type: string) => findResources(stacks, type, intrinsics);
  const tables = all('AWS::DynamoDB::Table');
  const queues = all('AWS::SQS::Queue');
  const functions = all('AWS::Lambda::Function').map((resource) =>
    readFunction(resource, folder, endpoints),
  );
  const mappings = all('AWS::Lambda::EventSourceMapping').map((resource) =>
    resource.properties(mappingProperties),
  );

  return {
    tables: tables.map((table) => ({ name: table.ref, ...table.properties(tableProperties) })),
    queues: queues.map(readQueue),
    buckets: all('AWS::S3::Bucket').map((bucket) => bucket.ref),
    keys: all('AWS::KMS::Key').map((key) => key.attribute('Arn')),
    functions,
    queueMappings: queues.flatMap((queue) =>
      mappings
        .filter((mapping) => mapping.EventSourceArn === queue.attribute('Arn'))
        .map((mapping) => ({
          functionName: mapping.FunctionName,
          queueUrl: queue.ref,
          queueArn: mapping.EventSourceArn,
          region: REGION,
          batchSize: mapping.BatchSize,
          maximumConcurrency: mapping.ScalingConfig.MaximumConcurrency,
          reportBatchItemFailures:
            mapping.FunctionResponseTypes.includes('ReportBatchItemFailures'),
        })),
    ),
    streamMappings: tables.flatMap((table) =>
      mappings
        .filter((mapping) => mapping.EventSourceArn === table.attribute('StreamArn'))
        .map((mapping) => ({
          functionName: mapping.FunctionName,
          tableName: table.ref,
          keyNames: table.properties(tableProperties).KeySchema.map((key) => key.AttributeName),
          streamArn: mapping.EventSourceArn,
          batchSize: mapping.BatchSize,
          retryAttempts: mapping.MaximumRetryAttempts,
        })),
    ),
    schedules: all('AWS::Scheduler::Schedule').map((resource) => {
      const { ScheduleExpression, Target } = resource.properties(scheduleProperties);
      const target = functions.find((definition) => definition.arn === Target.Arn);
      if (!target)
        throw new Error(`A schedule's target, ${Target.Arn}, is no function of these stacks.`);
      const { name: functionName } = target;
      return { functionName, rateMinutes: ScheduleExpression, input: Target.Input };
    }),
    output(name) {
      const owner = stacks.find((stack) => name in stack.template.Outputs);
      if (!owner) throw new Error(`No stack has an output named ${name}.`);
      return z.string().parse(intrinsics.evaluate(owner.template.Outputs[name]?.Value, owner));
    },
  };
}

function readQueue(queue: StackResource): QueueDefinition {
  const { RedrivePolicy, ...numbers } = queue.properties(queueProperties);
  const attributes = Object.entries(numbers).map(([name, value]) => [name, String(value)]);
  if (RedrivePolicy) attributes.push(['RedrivePolicy', JSON.stringify(RedrivePolicy)]);
  return { name: queue.attribute('QueueName'), attributes: Object.fromEntries(attributes) };
}

function readFunction(
  resource: StackResource,
  assembly: string,
  endpoints: Endpoints,
): FunctionDefinition {
  const { Handler, Timeout, MemorySize, Environment } = resource.properties(functionProperties);
  const code = join(assembly, resource.metadata(functionMetadata)['aws:asset:path']);
  const file = Handler.split('.').slice(0, -1).join('.');
  const bundle = ['.mjs', '.js', '.cjs']
    .map((extension) => join(code, `${file}${extension}`))
    .find((path) => existsSync(path));
  if (!bundle) throw new Error(`The bundle of ${resource.ref} has no file for ${Handler}.`);
  return {
    name: resource.ref,
    arn: resource.attribute('Arn'),
    bundle,
    handler: Handler,
    timeoutSeconds: Timeout,
    memoryMiB: MemorySize,
    region: REGION,
    environment: { ...Environment?.Variables, ...localEnvironment(endpoints) },
  };
}

/** What a function needs here beside what it gets on AWS, so that it talks to this machine only. */
function localEnvironment(endpoints: Endpoints): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    ...endpointVariables(endpoints),
    AWS_EC2_METADATA_DISABLED: 'true',
    // The SDK also reads the settings in the home folder of whoever runs this.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    // Progress is logged at this level; a deployed function is at INFO.
    AWS_LAMBDA_LOG_LEVEL: 'DEBUG',
  };
}

/** By which the AWS SDK finds its services elsewhere. */
export function endpointVariables(endpoints: Endpoints): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.events,
    AWS_ENDPOINT_URL_KMS: endpoints.kms,
  };
}
