import { Capture, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  checkEnvironment,
  enqueueDueEnvironment,
  settingsChangedEnvironment,
  sweepEnvironment,
  transferEnvironment,
} from '../../functions/platform/environment.ts';
import { findStage } from '../../infra/stages.ts';
import { propertiesOf, synthesize } from './synthesis.ts';

const stage = findStage('prod');
const { pipeline } = synthesize(stage);

const reference = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const queues = propertiesOf(
  pipeline,
  'AWS::SQS::Queue',
  z.object({
    SqsManagedSseEnabled: z.boolean().optional(),
    MessageRetentionPeriod: z.number(),
    VisibilityTimeout: z.number().default(30),
    RedrivePolicy: z
      .object({ deadLetterTargetArn: reference, maxReceiveCount: z.number() })
      .optional(),
    RedriveAllowPolicy: z.object({ redrivePermission: z.string() }).optional(),
  }),
);
const functions = propertiesOf(
  pipeline,
  'AWS::Lambda::Function',
  z.object({
    Timeout: z.number(),
    MemorySize: z.number(),
    Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
    LoggingConfig: z.object({ LogGroup: z.object({ Ref: z.string() }) }),
  }),
);

/** Variables of a function, those aside that its runtime and libraries read. */
function environmentOf(name: string): Record<string, unknown> {
  const all = [...functions.values()].map((found) => found.Environment.Variables);
  const { NODE_OPTIONS, POWERTOOLS_SERVICE_NAME, POWERTOOLS_METRICS_NAMESPACE, ...own } =
    all.find((variables) => variables.POWERTOOLS_SERVICE_NAME === name) ?? {};
  expect(NODE_OPTIONS).toBe('--max-semi-space-size=1');
  expect(POWERTOOLS_METRICS_NAMESPACE).toBe('Ferry');
  return own;
}

describe('every queue', () => {
  it('is a dead-letter queue or has one', () => {
    expect(queues.size).toBe(5);
    for (const [id, queue] of queues) {
      const isDeadLetters = queue.RedriveAllowPolicy?.redrivePermission === 'allowAll';
      expect(isDeadLetters !== (queue.RedrivePolicy !== undefined), id).toBe(true);
      if (queue.RedrivePolicy) {
        const [target] = queue.RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'];
        expect(queues.get(target)?.MessageRetentionPeriod).toBe(14 * 24 * 3600);
      }
    }
  });

  it('is encrypted and answers to TLS only', () => {
    for (const [id, queue] of queues) expect(queue.SqsManagedSseEnabled, id).toBe(true);
    pipeline.resourceCountIs('AWS::SQS::QueuePolicy', queues.size);
    pipeline.allResourcesProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Effect: 'Deny',
            Action: 'sqs:*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      },
    });
  });
});

describe('every function', () => {
  it('runs Node 24 on arm64, traced, with logs as JSON', () => {
    pipeline.resourceCountIs('AWS::Lambda::Function', 5);
    pipeline.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogFormat: 'JSON' },
      Handler: 'index.handler',
    });
  });

  it('has an encrypted log group of its own that is kept as long as the stage says', () => {
    const logGroup = z.object({ RetentionInDays: z.number(), KmsKeyId: reference });
    const groups = propertiesOf(pipeline, 'AWS::Logs::LogGroup', logGroup);
    const used = [...functions.values()].map((found) => found.LoggingConfig.LogGroup.Ref);
    expect([...groups.keys()].sort()).toEqual([...used].sort());
    for (const group of groups.values()) expect(group.RetentionInDays).toBe(365);
  });

  it('reserves no concurrency, which a new account could not give', () => {
    pipeline.allResourcesProperties('AWS::Lambda::Function', {
      ReservedConcurrentExecutions: Match.absent(),
    });
  });

  it.each([
    ['settings-changed', settingsChangedEnvironment],
    ['enqueue-due', enqueueDueEnvironment],
    ['transfer', transferEnvironment],
    ['sweep', sweepEnvironment],
    ['check', checkEnvironment],
  ])('%s gets the variables that its handler reads, no more and no fewer', (name, schema) => {
    expect(Object.keys(environmentOf(name)).sort()).toEqual(Object.keys(schema.shape).sort());
  });
});

describe('settings-changed', () => {
  it('is told of every written row, narrows a failing batch down and parks what stays', () => {
    pipeline.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: 10,
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': ['SettingsChangedDeadLetters6F6AD841', 'Arn'] } },
      },
    });
  });
});

describe('the tick', () => {
  it('comes every minute on the minute, says which minute, and is not repeated when it is old', () => {
    const input = new Capture();
    pipeline.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      State: 'ENABLED',
      Target: {
        Input: input,
        DeadLetterConfig: Match.anyValue(),
        RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 2 },
      },
    });
    expect(JSON.parse(input.asString())).toEqual({
      scheduledTime: '<aws.scheduler.scheduled-time>',
    });
  });

  it('is over before the next one', () => {
    const tick = [...functions.values()].find(
      (found) => found.Environment.Variables.POWERTOOLS_SERVICE_NAME === 'enqueue-due',
    );
    expect(tick?.Timeout).toBeLessThan(60);
  });
});

describe('the sweep', () => {
  it('comes every five minutes and is over before the next one', () => {
    pipeline.resourceCountIs('AWS::Scheduler::Schedule', 2);
    pipeline.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(5 minutes)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      State: 'ENABLED',
      Target: { DeadLetterConfig: Match.anyValue() },
    });
    const sweep = [...functions.values()].find(
      (found) => found.Environment.Variables.POWERTOOLS_SERVICE_NAME === 'sweep',
    );
    expect(sweep?.Timeout).toBeLessThan(300);
  });
});

describe('transfer', () => {
  it('takes one job at a time, as many at once as the stage allows, and gives back what failed', () => {
    pipeline.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': ['JobsQueue24944186', 'Arn'] },
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: stage.transfer.maxConcurrency },
    });
  });

  it('may go on by messages to its own queue for as long as it takes', () => {
    pipeline.hasResourceProperties('AWS::Lambda::Function', {
      RecursiveLoop: 'Allow',
      Timeout: 900,
      MemorySize: stage.transfer.memoryMb,
    });
  });

  it('hides a job for six times as long as it can work on it', () => {
    const longest = Math.max(...[...functions.values()].map((found) => found.Timeout));
    const jobs = queues.get('JobsQueue24944186');
    expect(jobs?.VisibilityTimeout).toBeGreaterThanOrEqual(6 * longest);
    expect(jobs?.MessageRetentionPeriod).toBe(4 * 24 * 3600);
  });

  it('is told after how many receives its queue gives a job up', () => {
    const jobs = queues.get('JobsQueue24944186');
    expect(environmentOf('transfer').MAX_RECEIVE_COUNT).toBe(
      String(jobs?.RedrivePolicy?.maxReceiveCount),
    );
  });
});

describe('the pipeline stack', () => {
  it.each(['JobQueueUrl', 'JobDeadLettersUrl', 'DashboardUrl', 'AlarmTopicArn'])(
    'tells the operator %s and what it is for',
    (name) => pipeline.hasOutput(name, { Description: Match.stringLikeRegexp('.{20,}') }),
  );

  it('has one dashboard, named after the stage', () => {
    pipeline.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
    pipeline.hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: 'Ferry-prod' });
  });

  it('holds nothing that would be missed: no table and no bucket', () => {
    pipeline.resourceCountIs('AWS::DynamoDB::Table', 0);
    pipeline.resourceCountIs('AWS::S3::Bucket', 0);
  });
});
