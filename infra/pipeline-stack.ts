import { Aws, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { Check } from './check.ts';
import { EnqueueDue } from './enqueue-due.ts';
import type { LogSettings } from './ferry-function.ts';
import { OperationsKey } from './operations-key.ts';
import { OperatorPolicy } from './operator-policy.ts';
import { addPipelineAlarms } from './pipeline-alarms.ts';
import { PipelineDashboard } from './pipeline-dashboard.ts';
import { JobQueue } from './queues.ts';
import { SettingsChanged } from './settings-changed.ts';
import type { Stage } from './stages.ts';
import type { StateStack } from './state-stack.ts';
import { Sweep } from './sweep.ts';
import { TRANSFER_TIMEOUT, Transfer } from './transfer.ts';

export interface PipelineStackProps {
  readonly stage: Stage;
  readonly state: StateStack;
}

/**
 * What works on the state: a settings row is written → `SettingsChanged` plans its next run; the tick
 * of `EnqueueDue` puts due jobs on the queue; `Transfer` delivers them; `Sweep` finds those that got
 * lost on the way. It keeps nothing itself but logs, so it can be deleted and deployed again.
 */
export class PipelineStack extends Stack {
  readonly settingsChanged: SettingsChanged;
  readonly enqueueDue: EnqueueDue;
  readonly jobs: JobQueue;
  readonly transfer: Transfer;
  readonly sweep: Sweep;
  readonly check: Check;

  constructor(scope: Construct, id: string, { stage, state }: PipelineStackProps) {
    super(scope, id, {
      description: `Ferry (${stage.name}): schedule, queue, functions and alarms`,
      terminationProtection: stage.keepData,
    });
    const removalPolicy = stage.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const key = new OperationsKey(this, 'OperationsKey', removalPolicy);
    const logs: LogSettings = { key, retention: stage.logRetention, removalPolicy };

    this.jobs = new JobQueue(this, 'Jobs', {
      workerTimeout: TRANSFER_TIMEOUT,
      maxReceiveCount: stage.maxReceiveCount,
    });
    const jobs = this.jobs.queue;
    this.settingsChanged = new SettingsChanged(this, 'SettingsChanged', { stage, state, logs });
    this.enqueueDue = new EnqueueDue(this, 'EnqueueDue', { stage, state, jobs, logs });
    this.transfer = new Transfer(this, 'Transfer', { stage, state, jobs, logs });
    this.sweep = new Sweep(this, 'Sweep', { stage, state, jobs, logs });
    this.check = new Check(this, 'Check', { stage, state, logs });
    const operator = new OperatorPolicy(this, 'Operator', {
      stage,
      state,
      jobs,
      check: this.check.function.lambda,
    });

    const alarms = new Alarms(this, 'Alarms', { settings: stage.alarms, key });
    addPipelineAlarms(alarms, this, stage.alarms);
    const dashboard = new PipelineDashboard(this, 'Dashboard', {
      name: `Ferry-${stage.name}`,
      alarms,
      pipeline: this,
      state,
    });

    this.#tell('JobQueueUrl', jobs.queueUrl, 'Jobs that wait for a worker or for another try.');
    this.#tell(
      'JobDeadLettersUrl',
      this.jobs.deadLetters.queueUrl,
      'Jobs that nobody could do; see Jobs/DeadLetters in the runbook.',
    );
    this.#tell(
      'DashboardUrl',
      `https://${Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${dashboard.name}`,
      'Are users safe? Queue, functions and tables on one page.',
    );
    this.#tell(
      'CheckFunction',
      this.check.function.lambda.functionName,
      'Tries the destinations of a user: ferry check.',
    );
    this.#tell(
      'OperatorPolicyArn',
      operator.managedPolicyArn,
      'All that the command line needs: attach it to the role of whoever configures users.',
    );
    this.#tell('AlarmTopicArn', alarms.topic.topicArn, 'Subscribe here to be told of alarms.');
  }

  #tell(name: string, value: string, description: string): void {
    new CfnOutput(this, name, { value, description });
  }
}
