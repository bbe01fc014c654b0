import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { createAuthority } from '../servers/certificates.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { deliverSmall } from './effects/effect.ts';
import { failure } from './failure.ts';
import { openWith, settingsOf } from './s3-subject.ts';
import { trust } from './trust.ts';

const BUCKET = 'sealed';

const NAMES = {
  insecure: 'AWS_ENDPOINT_INSECURE',
  authority: 'AWS_ENDPOINT_CA_CERT',
  address: 'AWS_ENDPOINT',
};

trust('s3', NAMES, async () => {
  const server = await startEmbeddedS3();
  await server.createBucket(BUCKET);
  return {
    origin: server.endpoint,
    settingsAt: (origin) => settingsOf(server, BUCKET, origin),
    stop: server.stop,
  };
});

describe('S3 over https', () => {
  let server: S3Server;
  let sealed: Front;

  beforeAll(async () => {
    server = await startEmbeddedS3();
    await server.createBucket(BUCKET);
    const authority = await createAuthority();
    sealed = await startFront(server.endpoint, await authority.issue('IP:127.0.0.1'));
    await authority.remove();
  });
  afterAll(async () => {
    await sealed.stop();
    await server.stop();
  });

  it('signs each part with its own SHA-256, as over http', async () => {
    const settings = { ...settingsOf(server, BUCKET, sealed.endpoint), AWS_PART_SIZE: 5 };
    const destination = await openWith({ ...settings, AWS_ENDPOINT_INSECURE: true });
    expect(await deliverSmall(destination, 5 * MiB + 1)).toMatchObject({ verified: 'checksum' });
    await destination.close();
    const parts = sealed.seen.filter((one) => one.query.has('partNumber'));
    expect(parts).toHaveLength(2);
    for (const part of parts) expect(part.headers['x-amz-content-sha256']).toBe(part.sha256);
  });

  it('AWS_ENDPOINT_PROTO: https to a port that speaks http is explained', async () => {
    const host = new URL(server.endpoint).host;
    const given = { AWS_ENDPOINT: host, AWS_ENDPOINT_PROTO: 'HTTPS' };
    const destination = await openWith({ ...settingsOf(server, BUCKET), ...given });
    const error = await failure(deliverSmall(destination));
    await destination.close();
    expect(error).toMatchObject({ code: 'protocol', retry: 'never' });
    expect(error.message).toMatch(/AWS_ENDPOINT_PROTO/);
  });
});
