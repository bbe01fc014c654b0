import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import type { Services } from './services.ts';
import type { Topology } from './topology.ts';

/** Creates in the embedded services what CloudFormation would create from the same templates. */
export async function provision(topology: Topology, services: Services): Promise<void> {
  for (const arn of topology.keys) services.keys.add(arn);
  await Promise.all([
    ...topology.tables.map(({ name, ...properties }) =>
      services.dynamodb.send(
        new CreateTableCommand({ TableName: name, BillingMode: 'PAY_PER_REQUEST', ...properties }),
      ),
    ),
    ...topology.buckets.map((name) => services.s3.send(new CreateBucketCommand({ Bucket: name }))),
    ...topology.queues.map(({ name, attributes }) =>
      services.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes })),
    ),
  ]);
}
