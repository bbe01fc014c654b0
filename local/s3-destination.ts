import { pipeline } from 'node:stream/promises';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { buildApp } from 'fauxqs';
import type { StartServer } from './destination-server.ts';
import { CREDENTIALS, REGION } from './local-names.ts';
import { BACKUP_FOLDER } from './users.ts';

const bucketOf = (userId: string) => `${userId}-backups`;

/** An object store of somebody else's, with a bucket for each login. */
export const startS3Destination: StartServer = async (logins) => {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  const s3 = new S3Client({
    endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    forcePathStyle: true,
  });
  for (const { userId } of logins) {
    await s3.send(new CreateBucketCommand({ Bucket: bucketOf(userId) }));
  }
  const { host, protocol } = new URL(endpoint);
  return {
    type: 's3',
    address: endpoint,
    lookAt: (userId) => `aws --endpoint-url ${endpoint} s3 ls --recursive s3://${bucketOf(userId)}`,
    settingsFor: (userId) => ({
      AWS_S3_BUCKET_NAME: bucketOf(userId),
      AWS_S3_PATH: BACKUP_FOLDER,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT: host,
      AWS_ENDPOINT_PROTO: protocol.replace(':', ''),
      // The embedded S3 takes no request larger than 11 MiB.
      AWS_PART_SIZE: 8,
    }),
    async read({ userId }, path, sink, signal) {
      const { Body } = await s3.send(
        new GetObjectCommand({ Bucket: bucketOf(userId), Key: path }),
        {
          abortSignal: signal,
        },
      );
      if (!Body) throw new Error('The answer has no body.');
      await pipeline(Body.transformToWebStream(), sink, { signal });
    },
    async [Symbol.asyncDispose]() {
      s3.destroy();
      await app.close();
    },
  };
};
