import { inspect } from 'node:util';
import { STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import { addressOf } from '../../functions/destinations/http/address.ts';
import { openS3 } from '../../functions/destinations/s3/destination.ts';
import { AWS } from '../../functions/destinations/s3/providers.ts';
import { s3Schema, toS3Settings } from '../../functions/destinations/s3/settings.ts';
import type { Surroundings } from '../../functions/destinations/surroundings.ts';
import { surroundingsOf } from '../../functions/platform/surroundings.ts';
import { externalId, openDeliveryRoles } from '../../functions/roles/delivery-roles.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import { HANDED_OUT, type KeyServer, startKeyServer } from '../servers/key-server.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { failure } from './failure.ts';
import { openWith } from './s3-subject.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

const BUCKET = 'roles';
const ROLE = 'arn:aws:iam::111122223333:role/ferry-backups';

describe('keys that are not in the settings', () => {
  let server: S3Server;
  let front: Front;
  let keys: KeyServer;
  let sts: STSClient;

  beforeAll(async () => {
    server = await startEmbeddedS3();
    await server.createBucket(BUCKET);
    front = await startFront(server.endpoint);
    keys = await startKeyServer({ roleArn: ROLE, externalId: externalId('alice') });
    sts = new STSClient({
      endpoint: keys.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'transfer', secretAccessKey: 'role' },
      maxAttempts: 1,
    });
  });
  afterAll(async () => {
    sts.destroy();
    await Promise.all([front.stop(), keys.stop()]);
    await server.stop();
  });

  /** What a deployment with these endpoints gives the destinations of `userId`. */
  const around = (userId: string, roleEndpoints: readonly string[] = []): Surroundings => {
    const staging = { readText: async () => undefined };
    const { recall, remember, unseal } = NO_SURROUNDINGS;
    const findings = { recall, remember: () => remember(null) };
    const place = { userId, destination: 'cloud' };
    return surroundingsOf(
      staging,
      NO_LIMITS,
      openDeliveryRoles(sts),
      findings,
      { unseal: () => unseal('', '') },
      roleEndpoints,
    )(place);
  };
  const settings = () => ({ AWS_S3_BUCKET_NAME: BUCKET, AWS_ENDPOINT: front.endpoint });
  const openAt = (endpoint: string, listed: readonly string[]) =>
    openWith({ ...settings(), AWS_IAM_ROLE_ENDPOINT: endpoint }, around('alice', listed));
  /** The embedded server, taken for AWS. */
  const openWithRole = async (arn: string, userId: string) => {
    const given = { AWS_S3_BUCKET_NAME: BUCKET, AWS_ROLE_ARN: arn };
    const parsed = toS3Settings(s3Schema.parse(given));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const endpoint = addressOf(new URL(front.endpoint));
    const provider = { ...AWS, pathStyle: true };
    return openS3({ ...parsed.value, endpoint, provider }, around(userId));
  };
  const signedBy = (from: number) =>
    front.seen.slice(from).map(({ headers }) => ({
      key: /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1],
      token: headers['x-amz-security-token'],
    }));
  const byHandedOut = { key: HANDED_OUT.accessKeyId, token: HANDED_OUT.sessionToken };

  it.each([
    ['as ECS tells them', '/v2/credentials/of-alice'],
    ['as EC2 tells them', '/'],
  ])('AWS_IAM_ROLE_ENDPOINT: %s', async (_how, path) => {
    const before = front.seen.length;
    const destination = await openAt(`${keys.endpoint}${path}`, [keys.endpoint]);
    expect(await destination.stat('absent', NEVER)).toBeUndefined();
    await destination.close();
    expect(signedBy(before).length).toBeGreaterThan(0);
    for (const signature of signedBy(before)) expect(signature).toEqual(byHandedOut);
  });

  it('AWS_IAM_ROLE_ENDPOINT: only addresses that the operator lists are asked', async () => {
    const before = keys.handedOut;
    const elsewhere = keys.endpoint.replace('127.0.0.1', 'localhost');
    for (const listed of [[], [elsewhere], [`${keys.endpoint}/v2/credentials/of-al`]]) {
      const error = await failure(openAt(`${keys.endpoint}/v2/credentials/of-alice`, listed));
      expect(error).toMatchObject({ code: 'setting-invalid', retry: 'never' });
    }
    expect(keys.handedOut).toBe(before);
  });

  it.each([
    ['has no such keys', '/v2/credentials/of-nobody', 'auth-refused', 'never'],
    ['cannot be reached', undefined, 'unreachable', 'later'],
  ])('an address that %s is told', async (_what, path, code, retry) => {
    const endpoint = path === undefined ? 'http://127.0.0.1:1/x' : `${keys.endpoint}${path}`;
    const destination = await openAt(endpoint, [new URL(endpoint).origin]);
    const error = await failure(destination.stat('x', NEVER));
    expect(error).toMatchObject({ code, retry });
    expect(error.message).toContain('AWS_IAM_ROLE_ENDPOINT');
    await destination.close();
  });

  it("AWS_ROLE_ARN: the user's role, under the external id of this user alone", async () => {
    const before = front.seen.length;
    const destination = await openWithRole(ROLE, 'alice');
    expect(await destination.stat('absent', NEVER)).toBeUndefined();
    await destination.close();
    for (const signature of signedBy(before)) expect(signature).toEqual(byHandedOut);
    expect(signedBy(before).length).toBeGreaterThan(0);

    const stolen = await openWithRole(ROLE, 'mallory');
    const error = await failure(stolen.stat('x', NEVER));
    expect(error).toMatchObject({ code: 'auth-refused', retry: 'never' });
    expect(error.message).toContain('"ferry:mallory"');
    await stolen.close();
  });

  it('keys that run out are asked for again, within a transfer', async () => {
    const shortLived = await startKeyServer({ roleArn: ROLE, externalId: 'x', lifetimeMs: 1000 });
    const destination = await openAt(`${shortLived.endpoint}/v2/credentials/of-alice`, [
      shortLived.endpoint,
    ]);
    await destination.stat('one', NEVER);
    const before = shortLived.handedOut;
    await destination.stat('two', NEVER);
    expect(shortLived.handedOut).toBeGreaterThan(before);
    await destination.close();
    await shortLived.stop();
  });

  it('no error shows them', async () => {
    front.react(() => ({ status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }));
    const destination = await openAt(`${keys.endpoint}/v2/credentials/of-alice`, [keys.endpoint]);
    const error = await failure(destination.stat('x', NEVER));
    const shown = inspect(error, { depth: 8, showHidden: true });
    expect(shown).not.toContain(HANDED_OUT.secretAccessKey);
    expect(shown).not.toContain(HANDED_OUT.sessionToken);
    await destination.close();
    front.react(() => undefined);
  });
});
