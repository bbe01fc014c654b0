import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { buildApp } from 'fauxqs';
import type { S3Server } from './s3-server.ts';

/**
 * S3 in this process (fauxqs) on a free loopback port. It checks neither signatures nor checksums,
 * and has no requests to list parts or unfinished uploads.
 */
export async function startEmbeddedS3(): Promise<S3Server> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  const keys = { accessKeyId: 'embedded', secretAccessKey: 'embedded-secret-key' };
  const region = 'us-east-1';
  const client = new S3Client({ endpoint, region, credentials: keys, forcePathStyle: true });
  return {
    endpoint,
    ...keys,
    region,
    async createBucket(name) {
      await client.send(new CreateBucketCommand({ Bucket: name }));
    },
    async stop() {
      client.destroy();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
