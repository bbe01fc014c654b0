import { GetBucketLocationCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { S3Settings } from './settings.ts';

/** Where AWS's first endpoint is, and what compatible servers without regions expect. */
const DEFAULT_REGION = 'us-east-1';

const TOO_MANY_REQUESTS = 429;

/** What a refusal tells of the right region: AWS in a header, most others in the error's XML. */
const hint = z.object({
  $metadata: z.object({ httpStatusCode: z.number().max(499) }),
  Region: z.string().optional().catch(undefined),
  $response: z.object({ headers: z.object({ 'x-amz-bucket-region': z.string().optional() }) }),
});

/**
 * Asks the server which region to sign for, as users of docker-volume-backup expect, who have no
 * setting for it. A key need not be allowed to ask: AWS tells the region with the refusal. Where
 * nothing is told the default is tried, and the request proper reports what is wrong.
 */
export async function findRegion(
  settings: S3Settings,
  clientFor: (region: string) => S3Client,
  abortSignal: AbortSignal,
): Promise<string> {
  const client = clientFor(DEFAULT_REGION);
  const input = { Bucket: settings.bucket };
  const options = { abortSignal, requestTimeout: 30_000 };
  try {
    if (settings.provider.tellsRegionIn === 'header') {
      const { BucketRegion } = await client.send(new HeadBucketCommand(input), options);
      return BucketRegion ?? DEFAULT_REGION;
    }
    const { LocationConstraint } = await client.send(new GetBucketLocationCommand(input), options);
    return LocationConstraint || DEFAULT_REGION;
  } catch (thrown) {
    const told = hint.safeParse(thrown);
    if (!told.success || told.data.$metadata.httpStatusCode === TOO_MANY_REQUESTS) throw thrown;
    return told.data.$response.headers['x-amz-bucket-region'] ?? told.data.Region ?? DEFAULT_REGION;
  }
}
