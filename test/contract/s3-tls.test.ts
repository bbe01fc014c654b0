import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FerryError } from '../../functions/core/errors.ts';
import { MiB } from '../../functions/core/parts.ts';
import type { CheckStep, Destination } from '../../functions/destinations/contract.ts';
import { type Authority, createAuthority } from '../servers/certificates.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { openWith, settingsOf } from './s3-subject.ts';
import { digestOf, sampleBytes } from './sample.ts';

const NEVER = new AbortController().signal;
const BUCKET = 'sealed';

describe('S3 over TLS', () => {
  let server: S3Server;
  let authority: Authority;
  let stranger: Authority;
  let trusted: Front;
  let misnamed: Front;

  beforeAll(async () => {
    server = await startEmbeddedS3();
    await server.createBucket(BUCKET);
    authority = await createAuthority();
    stranger = await createAuthority();
    trusted = await startFront(server.endpoint, await authority.issue('IP:127.0.0.1'));
    misnamed = await startFront(server.endpoint, await authority.issue('DNS:other.example'));
  });
  afterAll(async () => {
    await Promise.all([trusted.stop(), misnamed.stop(), authority.remove(), stranger.remove()]);
    await server.stop();
  });

  const deliver = async (destination: Destination) => {
    const bytes = sampleBytes(5 * MiB + 1, 'tls');
    const file = { path: 'a.tar', size: bytes.length, transferId: '0123456789abcdef' };
    const plan = { size: bytes.length, partSize: 5 * MiB, count: 2 };
    const upload = await destination.begin(file, plan, NEVER);
    for (const [number, offset, length] of [
      [0, 0, 5 * MiB],
      [1, 5 * MiB, 1],
    ] as const) {
      const part = bytes.subarray(offset, offset + length);
      await upload.writePart({ number, offset, length, bytes: part }, NEVER);
    }
    return upload.finish(digestOf(bytes), NEVER);
  };
  const tryTo = async (front: Front, more: Readonly<Record<string, unknown>>) => {
    const destination = await openWith({
      ...settingsOf(server, BUCKET, front.endpoint),
      ...more,
    });
    try {
      const steps: CheckStep[] = [];
      for await (const step of destination.check(NEVER)) steps.push(step);
      const delivery = await deliver(destination).catch((error: FerryError) => error);
      return { delivery, last: steps.at(-1), steps };
    } finally {
      await destination.close();
    }
  };

  it("AWS_ENDPOINT_CA_CERT: the user's own authority is trusted, one of several too", async () => {
    const several = `${stranger.pem}\n${authority.pem}`;
    for (const pem of [authority.pem, several, authority.pem.replaceAll('\n', '\\n')]) {
      const { delivery, steps } = await tryTo(trusted, { AWS_ENDPOINT_CA_CERT: pem });
      expect(delivery).toMatchObject({ verified: 'checksum' });
      expect(steps.map((step) => step.step)).toContain('TLS');
      expect(steps.flatMap((step) => step.error ?? [])).toEqual([]);
    }
  });

  it('each part is signed with its own SHA-256 over https too', async () => {
    const before = trusted.seen.length;
    await tryTo(trusted, { AWS_ENDPOINT_CA_CERT: authority.pem });
    const parts = trusted.seen.slice(before).filter((one) => one.query.has('partNumber'));
    expect(parts).toHaveLength(2);
    for (const part of parts) expect(part.headers['x-amz-content-sha256']).toBe(part.sha256);
  });

  it.each([
    ['by nobody known', () => trusted, () => '', /AWS_ENDPOINT_CA_CERT/],
    ['by another authority', () => trusted, () => stranger.pem, /AWS_ENDPOINT_CA_CERT/],
    ['for another name', () => misnamed, () => authority.pem, /another name/],
  ])('a certificate %s is refused for good', async (_what, front, pem, words) => {
    const { delivery, last } = await tryTo(front(), { AWS_ENDPOINT_CA_CERT: pem() });
    expect(delivery).toMatchObject({ code: 'tls-untrusted', retry: 'never' });
    expect(delivery).toHaveProperty('message', expect.stringMatching(words));
    expect(last).toMatchObject({ step: 'TLS', error: { code: 'tls-untrusted' } });
  });

  it('AWS_ENDPOINT_INSECURE: any certificate is accepted', async () => {
    for (const front of [trusted, misnamed]) {
      const { delivery } = await tryTo(front, { AWS_ENDPOINT_INSECURE: 'true' });
      expect(delivery).toMatchObject({ verified: 'checksum' });
    }
  });

  it('AWS_ENDPOINT_PROTO: https to a port that speaks http is explained', async () => {
    const { delivery, last } = await tryTo(trusted, {
      AWS_ENDPOINT: new URL(server.endpoint).host,
      AWS_ENDPOINT_PROTO: 'HTTPS',
    });
    expect(delivery).toMatchObject({ code: 'protocol', retry: 'never' });
    expect(delivery).toHaveProperty('message', expect.stringMatching(/AWS_ENDPOINT_PROTO/));
    expect(last?.step).toBe('TLS');
  });

  it('AWS_ENDPOINT_PROTO: http reaches a server without TLS', async () => {
    const { delivery } = await tryTo(trusted, {
      AWS_ENDPOINT: new URL(server.endpoint).host,
      AWS_ENDPOINT_PROTO: 'http',
    });
    expect(delivery).toMatchObject({ verified: 'checksum' });
  });
});
