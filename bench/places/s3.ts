import { createHash, createHmac } from 'node:crypto';
import { DeleteObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { plainClient } from '../../test/contract/s3-subject.ts';
import type { S3Server } from '../../test/servers/s3-server.ts';
import { startSwift } from '../../test/servers/swift.ts';
import type { Place } from '../place.ts';
import { sendBytes } from '../push.ts';

const BUCKET = 'archives';

/** OpenStack Swift with its S3 API. */
export async function startS3(): Promise<Place> {
  const server = await startSwift();
  await server.createBucket(BUCKET);
  const client = plainClient(server);
  const { hostname: host, port } = new URL(server.endpoint);
  const at = (path: string) => ({ Bucket: BUCKET, Key: path });

  return {
    type: 's3',
    server: 'OpenStack Swift',
    address: { host, port: Number(port) },
    settings: (line, folder) => ({
      AWS_S3_BUCKET_NAME: BUCKET,
      AWS_S3_PATH: folder,
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_ENDPOINT: `127.0.0.1:${line.port}`,
      AWS_ENDPOINT_PROTO: 'http',
      AWS_REGION: server.region,
    }),
    rclone: (line) => ({
      root: `${BUCKET}/`,
      options: {
        TYPE: 's3',
        PROVIDER: 'Other',
        ENDPOINT: `http://127.0.0.1:${line.port}`,
        REGION: server.region,
        ACCESS_KEY_ID: server.accessKeyId,
        SECRET_ACCESS_KEY: server.secretAccessKey,
      },
    }),
    async push(line, path, bytes) {
      await sendBytes(presigned(server, line.port, `/${BUCKET}/${path}`), bytes, { method: 'PUT' });
    },
    async sizeOf(path) {
      return (await client.send(new HeadObjectCommand(at(path)))).ContentLength;
    },
    async remove(path) {
      await client.send(new DeleteObjectCommand(at(path)));
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

/**
 * An address that takes one PUT of any body.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
function presigned(server: S3Server, port: number, path: string): string {
  const host = `127.0.0.1:${port}`;
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${now.slice(0, 8)}/${server.region}/s3/aws4_request`;
  const query = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${server.accessKeyId}/${scope}`,
    'X-Amz-Date': now,
    'X-Amz-Expires': '3600',
    'X-Amz-SignedHeaders': 'host',
  }).toString();
  const request = ['PUT', path, query, `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const hash = createHash('sha256').update(request).digest('hex');
  const hmac = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest();
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${server.secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', now, scope, hash].join('\n')).toString('hex');
  return `http://${host}${path}?${query}&X-Amz-Signature=${signature}`;
}
