import { z } from 'zod';

/**
 * The properties of CloudFormation resources that count on one machine. What is not named here
 * (encryption, roles, alarms, log groups, …) has nothing to stand for it.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
 */

const keySchema = z.array(
  z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }),
);

export const tableProperties = z.object({
  AttributeDefinitions: z.array(
    z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z
    .array(
      z.object({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.object({
          ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
          NonKeyAttributes: z.array(z.string()).optional(),
        }),
      }),
    )
    .optional(),
});
export type TableProperties = z.output<typeof tableProperties>;

export const queueProperties = z.object({
  VisibilityTimeout: z.number().optional(),
  MessageRetentionPeriod: z.number().optional(),
  DelaySeconds: z.number().optional(),
  ReceiveMessageWaitTimeSeconds: z.number().optional(),
  RedrivePolicy: z
    .object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.number() })
    .optional(),
});

export const functionProperties = z.object({
  Handler: z.string(),
  /** Seconds; Lambda's default is 3. */
  Timeout: z.number().default(3),
  /** MB; Lambda's default is 128. */
  MemorySize: z.number().default(128),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }).optional(),
});

/** Beside the properties: the CDK notes there which folder of the cloud assembly is the code. */
export const functionMetadata = z.object({ 'aws:asset:path': z.string() });

export const mappingProperties = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.number(),
  /** AWS takes 2 to 1000, and scales to 1000 where nothing is given. */
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }).default({ MaximumConcurrency: 1000 }),
  FunctionResponseTypes: z.array(z.string()).default([]),
  /** For streams only; without it Lambda tries until the record expires. */
  MaximumRetryAttempts: z.number().default(Number.POSITIVE_INFINITY),
});

export const scheduleProperties = z.object({
  ScheduleExpression: z.string().transform((expression, context) => {
    const [, count] = /^rate\((\d+) minutes?\)$/.exec(expression) ?? [];
    if (count !== undefined) return Number(count);
    context.addIssue(`Only rate(n minutes) is known here, not ${expression}.`);
    return z.NEVER;
  }),
  Target: z.object({ Arn: z.string(), Input: z.string() }),
});
