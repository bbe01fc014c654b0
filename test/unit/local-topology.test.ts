import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SynthesisedStack, Template } from '../../local/cloud-assembly.ts';
import { tickEvent } from '../../local/schedule-tick.ts';
import { readTopology } from '../../local/topology.ts';

const ENDPOINTS = {
  kms: 'http://127.0.0.1:4004',
  dynamodb: 'http://127.0.0.1:1',
  sqs: 'http://127.0.0.1:2',
  events: 'http://127.0.0.1:4',
  s3: 'http://127.0.0.1:3',
};

const RESOURCES = {
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      SSESpecification: { KMSMasterKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } },
    },
  },
  Dead: { Type: 'AWS::SQS::Queue', Properties: { MessageRetentionPeriod: 1209600 } },
  Jobs: {
    Type: 'AWS::SQS::Queue',
    Properties: {
      VisibilityTimeout: 5400,
      RedrivePolicy: {
        deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] },
        maxReceiveCount: 4,
      },
    },
  },
  Worker: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Handler: 'index.handler',
      Timeout: 900,
      MemorySize: 1769,
      Environment: { Variables: { JOBS_QUEUE_URL: { Ref: 'Jobs' } } },
    },
    Metadata: { 'aws:asset:path': 'asset.1' },
  },
  FromQueue: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      EventSourceArn: { 'Fn::GetAtt': ['Jobs', 'Arn'] },
      FunctionName: { Ref: 'Worker' },
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: 7 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    },
  },
  FromTable: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      EventSourceArn: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      FunctionName: { Ref: 'Worker' },
      BatchSize: 100,
      MaximumRetryAttempts: 10,
    },
  },
  Tick: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      ScheduleExpression: 'rate(1 minute)',
      Target: {
        Arn: { 'Fn::GetAtt': ['Worker', 'Arn'] },
        Input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}',
      },
    },
  },
};

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferry-topology-'));
  await mkdir(join(folder, 'asset.1'));
  await writeFile(join(folder, 'asset.1', 'index.mjs'), '');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the topology in a template', () => {
  it('has the queues with their visibility and redrive', () => {
    expect(read({}).queues).toContainEqual({
      name: 'S-Jobs',
      attributes: {
        VisibilityTimeout: '5400',
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:S-Dead',
          maxReceiveCount: 4,
        }),
      },
    });
  });

  it('has the functions with their bundle, limits and environment, and the embedded endpoints', () => {
    const [worker] = read({}).functions;
    expect(worker).toMatchObject({
      name: 'S-Worker',
      bundle: join(folder, 'asset.1', 'index.mjs'),
      timeoutSeconds: 900,
      memoryMiB: 1769,
    });
    expect(worker?.environment).toMatchObject({
      JOBS_QUEUE_URL: 'http://127.0.0.1:2/000000000000/S-Jobs',
      AWS_ENDPOINT_URL_DYNAMODB: ENDPOINTS.dynamodb,
      AWS_ENDPOINT_URL_S3: ENDPOINTS.s3,
    });
  });

  it('has what feeds a function: the queue, the table and the schedule', () => {
    const { queueMappings, streamMappings, schedules } = read({});
    expect(queueMappings).toMatchObject([
      {
        functionName: 'S-Worker',
        batchSize: 1,
        maximumConcurrency: 7,
        reportBatchItemFailures: true,
      },
    ]);
    expect(streamMappings).toMatchObject([
      { functionName: 'S-Worker', tableName: 'S-Table', keyNames: ['id'], retryAttempts: 10 },
    ]);
    expect(schedules).toMatchObject([{ functionName: 'S-Worker', rateMinutes: 1 }]);
  });

  it('lets the schedule send the planned instant as EventBridge Scheduler writes it', () => {
    const [schedule] = read({}).schedules;
    if (!schedule) throw new Error('There is no schedule.');
    expect(tickEvent(schedule, new Date('2026-11-22T23:59:00.000Z'))).toEqual({
      scheduledTime: '2026-11-22T23:59:00Z',
    });
  });

  it.each([
    ['a schedule that is no rate', 'Tick', { ScheduleExpression: 'cron(0 * * * ? *)' }, 'cron(0'],
    ['a batch size that is missing', 'FromQueue', { BatchSize: undefined }, 'FromQueue'],
    [
      'a key type that does not exist',
      'Table',
      { KeySchema: [{ AttributeName: 'id', KeyType: 'X' }] },
      'KeyType',
    ],
    [
      'a reference into nothing',
      'Worker',
      { Environment: { Variables: { A: { Ref: 'Gone' } } } },
      'Ref of Gone',
    ],
  ] as const)('%s is an error that names it', (_, resource, properties, named) => {
    const { Properties } = RESOURCES[resource];
    expect(() =>
      read({
        [resource]: { ...RESOURCES[resource], Properties: { ...Properties, ...properties } },
      }),
    ).toThrow(named);
  });

  it('says so when a bundle is missing', async () => {
    await rm(join(folder, 'asset.1', 'index.mjs'));
    expect(() => read({})).toThrow('index.handler');
  });
});

type GivenResource = {
  Type: string;
  Properties: Record<string, unknown>;
  Metadata?: Record<string, unknown>;
};

function read(changes: Record<string, GivenResource>) {
  const given: Record<string, GivenResource> = { ...RESOURCES, ...changes };
  const Resources: Template['Resources'] = Object.fromEntries(
    Object.entries(given).map(([id, resource]) => [id, { Metadata: {}, ...resource }]),
  );
  const stack: SynthesisedStack = { name: 'S', template: { Resources, Outputs: {} } };
  return readTopology({ folder, stacks: [stack] }, ENDPOINTS);
}
