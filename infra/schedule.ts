import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  ContextAttribute,
  Schedule,
  ScheduleExpression,
  ScheduleGroup,
  ScheduleTargetInput,
  TimeWindow,
} from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { allow } from './permissions.ts';
import { DeadLetterQueue } from './queues.ts';

export interface ScheduleProps {
  readonly description: string;
  readonly interval: Duration;
  readonly target: IFunction;
  /** The target's name for people. */
  readonly targetName: string;
}

/**
 * Lets a function be invoked at every full interval, with the planned instant as `scheduledTime`.
 * Each invocation does whatever an earlier one left, so one that comes too late is not made up for.
 * @param scope gets the schedule and what belongs to it
 * @returns where invocations go that did not reach the function
 */
export function invokeRegularly(scope: Construct, props: ScheduleProps): Queue {
  const { description, interval, target, targetName } = props;
  const deadLetters = new DeadLetterQueue(scope, 'DeadLetters');
  const group = new ScheduleGroup(scope, 'Schedules');
  const role = new Role(scope, 'ScheduleRole', {
    description: `Lets the tick invoke ${targetName}`,
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: {
          'aws:SourceAccount': Aws.ACCOUNT_ID,
          'aws:SourceArn': group.scheduleGroupArn,
        },
      },
    }),
    inlinePolicies: {
      Tick: new PolicyDocument({
        statements: [
          allow(['lambda:InvokeFunction'], [target.functionArn]),
          allow(['sqs:SendMessage'], [deadLetters.queueArn]),
        ],
      }),
    },
  });

  new Schedule(scope, 'Tick', {
    description,
    schedule: ScheduleExpression.rate(interval),
    scheduleGroup: group,
    timeWindow: TimeWindow.off(),
    target: new LambdaInvoke(target, {
      role: role.withoutPolicyUpdates(),
      input: ScheduleTargetInput.fromObject({ scheduledTime: ContextAttribute.scheduledTime }),
      deadLetterQueue: deadLetters,
      maxEventAge: Duration.minutes(1),
      retryAttempts: 2,
    }),
  });
  return deadLetters;
}
