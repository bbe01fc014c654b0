import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { METRIC_NAMESPACE, METRICS } from '../../functions/platform/metric-names.ts';
import { findStage } from '../../infra/stages.ts';
import { propertiesOf, ROOT, synthesize } from './synthesis.ts';

const prod = findStage('prod');
const { pipeline } = synthesize(prod);
const alarmSchema = z.object({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(z.unknown()).min(1),
  OKActions: z.array(z.unknown()).min(1),
});
const alarms = [...propertiesOf(pipeline, 'AWS::CloudWatch::Alarm', alarmSchema).values()];
const runbook = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8');

/** The anchor that GitHub and GitLab give a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');

/** Text of the runbook below the heading `## <path>`. */
function sectionOf(path: string): string {
  const [, after] = runbook.split(`\n## ${path}\n`);
  expect(after, `docs/runbook.md has no heading "${path}"`).toBeDefined();
  return after?.split('\n## ')[0] ?? '';
}

describe('every alarm', () => {
  it.each(alarms)('$AlarmName is named after its place', ({ AlarmName }) => {
    expect(AlarmName).toMatch(/^Ferry-prod-Pipeline\/[A-Z][A-Za-z]+\/[A-Z][A-Za-z]+$/);
  });

  it.each(alarms)(
    '$AlarmName says what is wrong and links to the runbook, which says how to look and what to do',
    ({ AlarmName, AlarmDescription }) => {
      const path = AlarmName.replace('Ferry-prod-Pipeline/', '');
      expect(AlarmDescription).toMatch(/^\[(high|medium)\] [A-Z].{30,}\. What to do: /);
      expect(AlarmDescription.endsWith(`${prod.alarms.runbookUrl}#${anchorOf(path)}`)).toBe(true);
      for (const part of ['**What it means.**', '**How to look.**', '**What to do.**']) {
        expect(sectionOf(path)).toContain(part);
      }
    },
  );

  it('has a part in the runbook, and the runbook has no part without an alarm', () => {
    const headings = [...runbook.matchAll(/^## ([A-Za-z]+\/[A-Za-z]+)$/gm)].map(([, path]) => path);
    const paths = alarms.map(({ AlarmName }) => AlarmName.replace('Ferry-prod-Pipeline/', ''));
    expect(headings.sort()).toEqual(paths.sort());
  });
});

describe('alarms are raised', () => {
  const alarm = (path: string, properties: Record<string, unknown>) =>
    pipeline.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: `Ferry-prod-Pipeline/${path}`,
      ...properties,
    });

  it('when no tick was seen for five minutes, and also when nothing at all is heard', () => {
    alarm('Schedule/MissingTick', {
      Namespace: 'AWS/Lambda',
      MetricName: 'Invocations',
      Period: 300,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
  });

  it('on the first dead letter of every dead-letter queue', () => {
    const deadLetters = Object.keys(
      pipeline.findResources('AWS::SQS::Queue', { Properties: { RedriveAllowPolicy: {} } }),
    );
    expect(deadLetters).toHaveLength(4);
    for (const id of deadLetters) {
      pipeline.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: Match.stringLikeRegexp('/DeadLetters$'),
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        Threshold: 1,
        Metrics: Match.arrayWith([
          Match.objectLike({
            MetricStat: Match.objectLike({
              Metric: Match.objectLike({
                MetricName: 'ApproximateNumberOfMessagesVisible',
                Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [id, 'QueueName'] } }],
              }),
            }),
          }),
        ]),
      });
    }
  });

  it('when a job has waited for longer than the stage allows', () => {
    alarm('Jobs/OldestMessage', {
      MetricName: 'ApproximateAgeOfOldestMessage',
      Threshold: prod.alarms.oldestMessageMinutes * 60,
    });
  });

  it('when too many jobs failed, by the metrics that transfer writes', () => {
    const counted = (outcome: string) =>
      Match.objectLike({
        Id: outcome.replace(' ', '_'),
        MetricStat: Match.objectLike({
          Stat: 'Sum',
          Metric: {
            Namespace: METRIC_NAMESPACE,
            MetricName: METRICS.runs,
            Dimensions: [
              { Name: 'outcome', Value: outcome },
              { Name: 'service', Value: 'transfer' },
            ],
          },
        }),
      });
    alarm('Runs/FailureRate', {
      Threshold: prod.alarms.failureRatePercent,
      TreatMissingData: 'notBreaching',
      Metrics: Match.arrayWith([counted('failed'), counted('gave up')]),
    });
  });

  it('when the tick itself fails', () => {
    alarm('EnqueueDue/Errors', { MetricName: 'Errors', DatapointsToAlarm: 3 });
  });

  it('when a lost job is given up, and when a sweep is missing, fails or leaves a job over', () => {
    const counted = (metric: keyof typeof METRICS, Stat: string) => ({
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 1,
      Metrics: [
        Match.objectLike({
          MetricStat: Match.objectLike({
            Stat,
            Metric: {
              Namespace: METRIC_NAMESPACE,
              MetricName: METRICS[metric],
              Dimensions: [{ Name: 'service', Value: 'sweep' }],
            },
          }),
        }),
      ],
    });
    alarm('Sweep/GivenUp', { ...counted('jobsGivenUp', 'Sum'), EvaluationPeriods: 1 });
    alarm('Sweep/JobsLeft', { ...counted('jobsLeft', 'Maximum'), EvaluationPeriods: 3 });
    alarm('Sweep/Errors', { MetricName: 'Errors', EvaluationPeriods: 3 });
    alarm('Sweep/Missing', {
      MetricName: 'Invocations',
      Period: 900,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });
});

describe('alarms go', () => {
  it('to an encrypted topic that only these alarms may publish to', () => {
    pipeline.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    const source = { 'aws:SourceArn': Match.objectLike({}) };
    const mayPublish = Match.objectLike({
      Effect: 'Allow',
      Action: 'sns:Publish',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Condition: Match.objectLike({ ArnLike: source }),
    });
    pipeline.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([mayPublish]) },
    });
    pipeline.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
            Principal: { Service: 'cloudwatch.amazonaws.com' },
          }),
        ]),
      },
    });
  });

  it('by mail to the address of the stage', () => {
    const alarms = { ...prod.alarms, email: 'on-call@example.org' };
    synthesize({ ...prod, alarms }).pipeline.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'on-call@example.org',
    });
  });

  it('to a topic that was there before, when the stage names one', () => {
    const topicArn = 'arn:aws:sns:eu-central-1:111122223333:operations';
    const { pipeline: own } = synthesize({ ...prod, alarms: { ...prod.alarms, topicArn } });
    own.resourceCountIs('AWS::SNS::Topic', 0);
    own.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topicArn] });
  });
});
