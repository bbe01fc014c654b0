import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator } from 'aws-cdk-lib/aws-cloudwatch';
import type { Alarms } from './alarms.ts';
import { failureRate, messagesIn, ofService } from './metrics.ts';
import type { PipelineStack } from './pipeline-stack.ts';
import type { AlarmSettings } from './stages.ts';

/** What the pipeline is watched for; each path is a heading of docs/runbook.md. */
export function addPipelineAlarms(
  alarms: Alarms,
  pipeline: PipelineStack,
  settings: AlarmSettings,
): void {
  const { enqueueDue, jobs, settingsChanged, sweep } = pipeline;

  alarms.add('Schedule/MissingTick', {
    severity: 'high',
    meaning: 'Nobody has looked for due users for five minutes: no backup starts.',
    metric: enqueueDue.function.lambda.metricInvocations({ period: Duration.minutes(5) }),
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    threshold: 1,
    silenceIsBad: true,
  });
  alarms.add('Schedule/DeadLetters', {
    severity: 'medium',
    meaning: 'A tick of the schedule did not reach enqueue-due.',
    metric: messagesIn(enqueueDue.deadLetters, 'ticks'),
    threshold: 1,
  });
  alarms.add('EnqueueDue/Errors', {
    severity: 'high',
    meaning: 'Looking for due users fails again and again: backups start late or not at all.',
    metric: enqueueDue.function.lambda.metricErrors({ period: Duration.minutes(1) }),
    threshold: 1,
    periods: 5,
    breaching: 3,
  });
  alarms.add('EnqueueDue/UsersLeft', {
    severity: 'high',
    meaning: 'Somebody is due and is left over by every tick: that backup does not start.',
    metric: ofService('enqueue-due', 'usersLeft', 'Maximum'),
    threshold: 1,
    periods: 3,
  });
  alarms.add('SettingsChanged/DeadLetters', {
    severity: 'medium',
    meaning: 'A change of settings was not taken up: that user keeps the old plan or has none.',
    metric: messagesIn(settingsChanged.deadLetters, 'changes'),
    threshold: 1,
  });
  alarms.add('Policy/Refused', {
    severity: 'high',
    meaning: 'The operator wrote a policy that cannot be used: the one before goes on to count.',
    metric: ofService('enqueue-due', 'policyRefused', 'Sum'),
    threshold: 1,
  });
  alarms.add('Jobs/DeadLetters', {
    severity: 'high',
    meaning: 'A job was given up after its last try: that backup did not happen.',
    metric: messagesIn(jobs.deadLetters, 'jobs'),
    threshold: 1,
  });
  alarms.add('Jobs/OldestMessage', {
    severity: 'medium',
    meaning: `A job has been waiting for more than ${settings.oldestMessageMinutes} minutes: backups are late.`,
    metric: jobs.queue.metricApproximateAgeOfOldestMessage({
      statistic: 'Maximum',
      period: Duration.minutes(5),
    }),
    threshold: settings.oldestMessageMinutes * 60,
    periods: 3,
  });
  alarms.add('Sweep/Missing', {
    severity: 'medium',
    meaning: 'Nobody has looked for lost jobs for a quarter of an hour: they go on late or never.',
    metric: sweep.function.lambda.metricInvocations({ period: Duration.minutes(15) }),
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    threshold: 1,
    silenceIsBad: true,
  });
  alarms.add('Sweep/DeadLetters', {
    severity: 'medium',
    meaning: 'A tick of the schedule did not reach the function that looks for lost jobs.',
    metric: messagesIn(sweep.deadLetters, 'sweeps'),
    threshold: 1,
  });
  alarms.add('Sweep/Errors', {
    severity: 'medium',
    meaning: 'Looking for lost jobs fails again and again: they go on late or never.',
    metric: sweep.function.lambda.metricErrors({ period: Duration.minutes(5) }),
    threshold: 1,
    periods: 3,
  });
  alarms.add('Sweep/JobsLeft', {
    severity: 'medium',
    meaning: 'A lost job is left over by every sweep: that backup does not go on.',
    metric: ofService('sweep', 'jobsLeft', 'Maximum'),
    threshold: 1,
    periods: 3,
  });
  alarms.add('Sweep/GivenUp', {
    severity: 'high',
    meaning: 'A job lost its worker again and again and was given up: that backup did not happen.',
    metric: ofService('sweep', 'jobsGivenUp', 'Sum'),
    threshold: 1,
  });
  alarms.add('Runs/FailureRate', {
    severity: 'high',
    meaning: `Of the backups that ended within the hour, ${settings.failureRatePercent} % or more failed.`,
    metric: failureRate(settings.failureRateMinimumRuns),
    threshold: settings.failureRatePercent,
  });
}
