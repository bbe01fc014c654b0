import { createServer, type IncomingMessage } from 'node:http';
import { listenOnLoopback, stopServer } from '../../local/loopback.ts';

/** Keys that a stand-in hands out. */
export const HANDED_OUT = {
  accessKeyId: 'ASIATEMPORARY',
  secretAccessKey: 'marked-temporary-secret',
  sessionToken: 'marked-session-token',
} as const;

const METADATA = '/latest/meta-data/iam/security-credentials/';

export interface KeyServer {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** How often keys were handed out. */
  readonly handedOut: number;
  stop(): Promise<void>;
}

/**
 * Stand-in for the three places where AWS hands out temporary keys: ECS (`/v2/credentials/…`), EC2's
 * metadata, which wants a token, and STS's AssumeRole for one role with one external id. It answers as
 * their public references say and checks no signature.
 */
export async function startKeyServer(trusted: {
  readonly roleArn: string;
  readonly externalId: string;
  /** How long the keys are good for, in ms. */
  readonly lifetimeMs?: number;
}): Promise<KeyServer> {
  let handedOut = 0;
  const keys = () => {
    handedOut += 1;
    const Expiration = new Date(Date.now() + (trusted.lifetimeMs ?? 3_600_000)).toISOString();
    const { accessKeyId, secretAccessKey, sessionToken } = HANDED_OUT;
    return { accessKeyId, secretAccessKey, sessionToken, Expiration };
  };
  const asJson = () => {
    const { accessKeyId, secretAccessKey, sessionToken, Expiration } = keys();
    return JSON.stringify({
      Code: 'Success',
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration,
    });
  };
  const asXml = () => {
    const { accessKeyId, secretAccessKey, sessionToken, Expiration } = keys();
    return (
      '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>' +
      `<AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>` +
      `<SessionToken>${sessionToken}</SessionToken><Expiration>${Expiration}</Expiration>` +
      '</Credentials></AssumeRoleResult></AssumeRoleResponse>'
    );
  };

  const answer = async (request: IncomingMessage): Promise<readonly [number, string]> => {
    const { method, url, headers } = request;
    if (method === 'GET' && url === '/v2/credentials/of-alice') return [200, asJson()];
    if (method === 'PUT' && url === '/latest/api/token') {
      return headers['x-aws-ec2-metadata-token-ttl-seconds'] ? [200, 'a-token'] : [400, ''];
    }
    if (url?.startsWith(METADATA)) {
      if (headers['x-aws-ec2-metadata-token'] !== 'a-token') return [401, ''];
      if (url === METADATA) return [200, 'backup-role'];
      return url === `${METADATA}backup-role` ? [200, asJson()] : [404, ''];
    }
    if (method === 'POST' && url === '/') {
      const form = new URLSearchParams(await text(request));
      const isTrusted =
        form.get('RoleArn') === trusted.roleArn && form.get('ExternalId') === trusted.externalId;
      if (isTrusted) return [200, asXml()];
      return [
        403,
        '<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
      ];
    }
    return [404, ''];
  };

  const server = createServer((request, response) => {
    answer(request).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'text/xml' }).end(body),
      () => response.destroy(),
    );
  });
  const port = await listenOnLoopback(server);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    get handedOut() {
      return handedOut;
    },
    stop: () => stopServer(server),
  };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
