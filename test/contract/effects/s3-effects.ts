import { MiB } from '../../../functions/core/parts.ts';
import { createAuthority } from '../../servers/certificates.ts';
import { type Seen, startFront } from '../../servers/http-front.ts';
import { HANDED_OUT, startKeyServer } from '../../servers/key-server.ts';
import { startSwift } from '../../servers/swift.ts';
import { settingsOf } from '../s3-subject.ts';
import { NO_SURROUNDINGS } from '../surroundings.ts';
import { type Effects, FILE, type Settings, tryDelivery } from './effect.ts';

const ROLE = 'arn:aws:iam::111122223333:role/ferry-backups';

/** What each setting of an S3 destination does, seen on OpenStack Swift and on the wire before it. */
export async function startS3Effects(): Promise<Effects> {
  const server = await startSwift();
  for (const bucket of ['one', 'two']) await server.createBucket(bucket);
  const authority = await createAuthority();
  const stranger = await createAuthority();
  const plain = await startFront(server.endpoint);
  const sealed = await startFront(server.endpoint, await authority.issue('IP:127.0.0.1'));
  const keys = await startKeyServer({ roleArn: ROLE, externalId: 'ferry:alice' });
  const surroundings = { ...NO_SURROUNDINGS, roleEndpoints: [keys.endpoint] };

  const outcome = (settings: Settings) => tryDelivery('s3', settings, surroundings);
  /** What a delivery of so many bytes showed in the requests that wrote. */
  const onTheWire =
    (look: (writing: readonly Seen[]) => unknown, size?: number) => async (settings: Settings) => {
      const before = plain.seen.length;
      await tryDelivery('s3', settings, surroundings, size);
      return look(plain.seen.slice(before).filter(({ method }) => method === 'PUT'));
    };
  const header = (name: string) => onTheWire((writing) => writing.at(0)?.headers[name]);
  const path = onTheWire((writing) => writing.at(0)?.path);
  const scope = onTheWire(
    (writing) => /Credential=([^,]+)/.exec(writing.at(0)?.headers.authorization ?? '')?.[1],
  );
  const signedFor = async (settings: Settings) => {
    const [key, , region] = (await scope(settings))?.toString().split('/') ?? [];
    return { key, region };
  };
  const onSealed = { AWS_ENDPOINT: sealed.endpoint };

  return {
    type: 's3',
    base: settingsOf(server, 'one', plain.endpoint),
    effects: {
      AWS_S3_BUCKET_NAME: {
        values: ['one', 'two'],
        seen: [`/one/${FILE}`, `/two/${FILE}`],
        observe: path,
      },
      AWS_S3_PATH: {
        values: ['nightly', 'weekly/x'],
        seen: [`/one/nightly/${FILE}`, `/one/weekly/x/${FILE}`],
        observe: path,
      },
      AWS_ACCESS_KEY_ID: {
        values: [server.accessKeyId, 'nobody'],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      AWS_SECRET_ACCESS_KEY: {
        values: [server.secretAccessKey, 'wrong'],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      AWS_IAM_ROLE_ENDPOINT: {
        beside: {
          AWS_ACCESS_KEY_ID: undefined,
          AWS_SECRET_ACCESS_KEY: undefined,
          AWS_REGION: server.region,
        },
        values: [`${keys.endpoint}/v2/credentials/of-alice`, `${keys.endpoint}/v2/of-nobody`],
        seen: [HANDED_OUT.sessionToken, undefined],
        observe: header('x-amz-security-token'),
      },
      // What the role does is shown by `s3-roles.test.ts`; AWS alone has roles.
      AWS_ROLE_ARN: {
        beside: {
          AWS_ACCESS_KEY_ID: undefined,
          AWS_SECRET_ACCESS_KEY: undefined,
          AWS_ENDPOINT: undefined,
          AWS_REGION: 'us-east-1',
        },
        values: [ROLE, 'arn:aws:iam::111122223333:role/other'],
        seen: [ROLE, undefined],
        observe: async (settings) => {
          let asked: string | undefined;
          const assumeRole = (arn: string) => {
            asked = arn;
            return NO_SURROUNDINGS.assumeRole(arn, new AbortController().signal);
          };
          await tryDelivery('s3', settings, { ...surroundings, assumeRole }).catch(() => undefined);
          return asked;
        },
      },
      AWS_ENDPOINT: {
        values: [plain.endpoint, server.endpoint],
        seen: [true, false],
        observe: onTheWire((writing) => writing.length > 0),
      },
      AWS_ENDPOINT_PROTO: {
        beside: { AWS_ENDPOINT: new URL(plain.endpoint).host },
        values: ['http', 'https'],
        seen: ['delivered', 'protocol'],
        observe: outcome,
      },
      AWS_ENDPOINT_INSECURE: {
        beside: onSealed,
        values: [true, 'no'],
        seen: ['delivered', 'tls-untrusted'],
        observe: outcome,
      },
      AWS_ENDPOINT_CA_CERT: {
        beside: onSealed,
        values: [authority.pem, stranger.pem],
        seen: ['delivered', 'tls-untrusted'],
        observe: outcome,
      },
      AWS_REGION: {
        values: [server.region, 'mars-north-1'],
        seen: [
          { key: server.accessKeyId, region: server.region },
          { key: server.accessKeyId, region: 'mars-north-1' },
        ],
        observe: signedFor,
      },
      AWS_STORAGE_CLASS: {
        values: ['GLACIER', undefined],
        seen: ['GLACIER', undefined],
        observe: header('x-amz-storage-class'),
      },
      AWS_PART_SIZE: {
        values: [5, '6'],
        seen: [
          [5 * MiB, 5 * MiB, 1 * MiB],
          [6 * MiB, 5 * MiB],
        ],
        observe: onTheWire(
          (writing) => writing.map(({ bytes }) => bytes).sort((a, b) => b - a),
          11 * MiB,
        ),
      },
    },
    async stop() {
      await Promise.all([plain.stop(), sealed.stop(), keys.stop()]);
      await Promise.all([authority.remove(), stranger.remove()]);
      await server.stop();
    },
  };
}
