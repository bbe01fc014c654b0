import {
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { plainClient } from '../../contract/s3-subject.ts';
import { readByRclone } from '../../end-to-end/clients.ts';
import type { Seen } from '../../servers/http-front.ts';
import { startSwift } from '../../servers/swift.ts';
import { startFronted } from './fronted.ts';
import type { CrashPlace } from './place.ts';

const BUCKET = 'archives';

/** OpenStack Swift with its S3 API. */
export async function startS3Place(): Promise<CrashPlace> {
  const server = await startSwift();
  await server.createBucket(BUCKET);
  const client = plainClient(server);

  return {
    name: 's3',
    type: 's3',
    server: 'OpenStack Swift',
    client: 'rclone',
    bytesAtOnce: 8 * 1024 ** 2,
    hopBytes: 16 * 1024 ** 2,
    async open(folder, watch) {
      const { origin, wire, close } = await startFronted(server.endpoint, nameOf, watch);
      const at = (path: string) => ({ Bucket: BUCKET, Key: `${folder}/${path}` });
      return {
        wire,
        close,
        settings: {
          AWS_S3_BUCKET_NAME: BUCKET,
          AWS_S3_PATH: folder,
          AWS_ACCESS_KEY_ID: server.accessKeyId,
          AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
          AWS_ENDPOINT: origin,
          AWS_ENDPOINT_PROTO: 'http',
        },
        async put(path, Body) {
          await client.send(new PutObjectCommand({ ...at(path), Body }));
        },
        async sizeOf(path) {
          try {
            return (await client.send(new HeadObjectCommand(at(path)))).ContentLength;
          } catch (error) {
            if (error instanceof Error && error.name === 'NotFound') return undefined;
            throw error;
          }
        },
        read: (path) => readByRclone(server, `${BUCKET}/${folder}/${path}`),
        async contents() {
          const below = { Bucket: BUCKET, Prefix: `${folder}/` };
          const { Contents = [] } = await client.send(new ListObjectsV2Command(below));
          const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(below));
          const keys = Contents.map(({ Key = '' }) => Key.slice(below.Prefix.length));
          return [...keys, ...Uploads.map(({ Key, UploadId }) => `${Key}?uploadId=${UploadId}`)];
        },
      };
    },
    halt: server.halt,
    start: server.start,
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

function nameOf({ method, query }: Seen): string | undefined {
  const part = query.get('partNumber');
  if (method === 'PUT') return part === null ? 'file put' : `part ${part}`;
  if (method === 'DELETE') return query.has('uploadId') ? 'upload aborted' : 'removed';
  if (method !== 'POST') return undefined;
  return query.has('uploads') ? 'upload begun' : 'publish';
}
