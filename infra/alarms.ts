import { Aws, Stack, Validations } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { alarmsOf } from './operations-key.ts';
import type { AlarmSettings } from './stages.ts';

/**
 * - `high`: backups do not happen; somebody has to look now.
 * - `medium`: something is lost or late for some users; look within the day.
 */
export type Severity = 'high' | 'medium';

export interface AlarmProps {
  readonly severity: Severity;
  /** A sentence for whoever gets the alarm: what is the matter for users. */
  readonly meaning: string;
  readonly metric: IMetric;
  readonly threshold: number;
  /** @default ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD */
  readonly comparison?: ComparisonOperator;
  /** How many periods are looked at. @default 1 */
  readonly periods?: number;
  /** How many of these have to be over the threshold. @default all */
  readonly breaching?: number;
  /** Whether having no data at all is the trouble. @default false */
  readonly silenceIsBad?: boolean;
}

/** Every alarm of the pipeline and the topic that they go to. */
export class Alarms extends Construct {
  readonly topic: ITopic;
  readonly all: Alarm[] = [];
  readonly #runbookUrl: string;

  constructor(
    scope: Construct,
    id: string,
    { settings, key }: { readonly settings: AlarmSettings; readonly key: IKey },
  ) {
    super(scope, id);
    this.#runbookUrl = settings.runbookUrl;
    this.topic = settings.topicArn
      ? Topic.fromTopicArn(this, 'Topic', settings.topicArn)
      : this.#createTopic(key);
    if (settings.email) {
      this.topic.addSubscription(new EmailSubscription(settings.email));
      Validations.of(this).acknowledge({
        id: 'Serverless-SNSRedrivePolicy',
        reason: 'Mail has no dead letters; the state of every alarm stays on the dashboard.',
      });
    }
  }

  /**
   * Adds an alarm under the name `<stack>/<path>`, which has to have a heading `<path>` in the runbook.
   * @param path `<What>/<Trouble>`, e.g. `Jobs/DeadLetters`
   */
  add(path: `${string}/${string}`, props: AlarmProps): void {
    const anchor = path.toLowerCase().replaceAll(/[^a-z0-9-]/g, '');
    const alarm = new Alarm(this, path.replace('/', ''), {
      alarmName: `${Stack.of(this).stackName}/${path}`,
      alarmDescription: `[${props.severity}] ${props.meaning} What to do: ${this.#runbookUrl}#${anchor}`,
      metric: props.metric,
      threshold: props.threshold,
      comparisonOperator: props.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: props.periods ?? 1,
      datapointsToAlarm: props.breaching ?? props.periods ?? 1,
      treatMissingData: props.silenceIsBad
        ? TreatMissingData.BREACHING
        : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
    this.all.push(alarm);
  }

  #createTopic(key: IKey): Topic {
    const topic = new Topic(this, 'Topic', { masterKey: key, enforceSSL: true });
    // A topic with any policy of its own loses the one that lets its account publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Alarms',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: { 'aws:SourceArn': alarmsOf(Stack.of(this)) },
        },
      }),
    );
    return topic;
  }
}
