import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FerryError } from '../../functions/core/errors.ts';
import type { CheckStep } from '../../functions/destinations/contract.ts';
import { startApache } from '../servers/apache.ts';
import { type Authority, createAuthority } from '../servers/certificates.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { deliverSample } from './webdav-delivery.ts';
import { openWith, settingsOf, through } from './webdav-subject.ts';

const NEVER = new AbortController().signal;

describe('WebDAV over TLS', () => {
  let server: WebDavServer;
  let authority: Authority;
  let stranger: Authority;
  let trusted: Front;
  let misnamed: Front;

  beforeAll(async () => {
    server = await startApache();
    authority = await createAuthority();
    stranger = await createAuthority();
    const { origin } = new URL(server.url);
    trusted = await startFront(origin, await authority.issue('IP:127.0.0.1'));
    misnamed = await startFront(origin, await authority.issue('DNS:other.example'));
  });
  afterAll(async () => {
    await Promise.all([trusted.stop(), misnamed.stop(), authority.remove(), stranger.remove()]);
    await server.stop();
  });

  const tryTo = async (front: Front, more: Readonly<Record<string, unknown>>) => {
    const destination = await openWith({ ...settingsOf(server, through(front, server)), ...more });
    try {
      const steps: CheckStep[] = [];
      for await (const step of destination.check(NEVER)) steps.push(step);
      const delivery = await deliverSample(destination).catch((error: FerryError) => error);
      return { delivery, last: steps.at(-1), steps };
    } finally {
      await destination.close();
    }
  };

  it("WEBDAV_URL_CA_CERT: the user's own authority is trusted, one of several too", async () => {
    const several = `${stranger.pem}\n${authority.pem}`;
    for (const pem of [authority.pem, several, authority.pem.replaceAll('\n', '\\n')]) {
      const { delivery, steps } = await tryTo(trusted, { WEBDAV_URL_CA_CERT: pem });
      expect(delivery).toMatchObject({ verified: 'size' });
      expect(steps.map((step) => step.step)).toContain('TLS');
      expect(steps.flatMap((step) => step.error ?? [])).toEqual([]);
    }
  });

  it.each([
    ['by nobody known', () => trusted, () => '', /WEBDAV_URL_CA_CERT/],
    ['by another authority', () => trusted, () => stranger.pem, /WEBDAV_URL_CA_CERT/],
    ['for another name', () => misnamed, () => authority.pem, /another name/],
  ])('a certificate %s is refused for good', async (_what, front, pem, words) => {
    const before = front().seen.length;
    const { delivery, last } = await tryTo(front(), { WEBDAV_URL_CA_CERT: pem() });
    expect(delivery).toMatchObject({ code: 'tls-untrusted', retry: 'never' });
    expect(delivery).toHaveProperty('message', expect.stringMatching(words));
    expect(last).toMatchObject({ step: 'TLS', error: { code: 'tls-untrusted' } });
    expect(front().seen.length).toBe(before);
  });

  it('WEBDAV_URL_INSECURE: any certificate is accepted', async () => {
    for (const front of [trusted, misnamed]) {
      const { delivery } = await tryTo(front, { WEBDAV_URL_INSECURE: 'true' });
      expect(delivery).toMatchObject({ verified: 'size' });
    }
  });

  it('https to a port that speaks http is explained', async () => {
    const url = server.url.replace('http:', 'https:');
    const { delivery, last } = await tryTo(trusted, { WEBDAV_URL: url });
    expect(delivery).toMatchObject({ code: 'protocol', retry: 'never' });
    expect(delivery).toHaveProperty('message', expect.stringMatching(/WEBDAV_URL with http/));
    expect(last?.step).toBe('TLS');
  });
});
