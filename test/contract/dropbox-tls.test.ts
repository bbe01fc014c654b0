import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NEVER } from '../../functions/core/stopping.ts';
import type { CheckStep } from '../../functions/destinations/contract.ts';
import { type DropboxFake, startDropboxFake } from '../../local/dropbox/server.ts';
import { type Authority, createAuthority } from '../servers/certificates.ts';
import { openWith, settingsOf } from './dropbox-subject.ts';

/** Certificates are checked by the public roots alone, so tests add to them or do not. */
describe('Dropbox over TLS', () => {
  const roots = getCACertificates('default');
  let folder: string;
  let authority: Authority;
  let trusted: DropboxFake;
  let misnamed: DropboxFake;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dropbox-tls-'));
    authority = await createAuthority();
    const start = async (names: string) =>
      startDropboxFake({ folder, tls: await authority.issue(names) });
    trusted = await start('IP:127.0.0.1');
    misnamed = await start('DNS:content.dropboxapi.com');
  });
  afterAll(async () => {
    setDefaultCACertificates(roots);
    await Promise.all([trusted.stop(), misnamed.stop(), authority.remove()]);
    await rm(folder, { recursive: true });
  });

  const tryTo = async (fake: DropboxFake, endpoint = fake.endpoint) => {
    const settings = settingsOf(fake, fake.addAccount('tls'), endpoint);
    const destination = await openWith(settings);
    try {
      const asked = await destination.stat('a.tar', NEVER).catch((error: unknown) => error);
      const steps: CheckStep[] = [];
      for await (const step of destination.check(NEVER)) steps.push(step);
      return { asked, steps, last: steps.at(-1) };
    } finally {
      await destination.close();
    }
  };

  it('a certificate of a known authority: everything works', async () => {
    setDefaultCACertificates([...roots, authority.pem]);
    const { asked, steps } = await tryTo(trusted);
    expect(asked).toBeUndefined();
    expect(steps.map(({ step }) => step)).toContain('TLS');
    expect(steps.flatMap(({ error }) => error ?? [])).toEqual([]);
  });

  it.each([
    ['by nobody known', () => trusted, () => roots, /nobody Ferry knows.*DROPBOX_ENDPOINT/],
    ['for another name', () => misnamed, () => [...roots, authority.pem], /another name/],
  ])('a certificate %s is refused for good', async (_what, fake, known, words) => {
    setDefaultCACertificates([...known()]);
    const { asked, last } = await tryTo(fake());
    expect(asked).toMatchObject({ code: 'tls-untrusted', retry: 'never' });
    expect(asked).toHaveProperty('message', expect.stringMatching(words));
    expect(last).toMatchObject({ step: 'TLS', error: { code: 'tls-untrusted' } });
  });

  it('http at a port that speaks TLS is explained', async () => {
    const { asked } = await tryTo(trusted, trusted.endpoint.replace('https:', 'http:'));
    expect(asked).toHaveProperty('message', expect.stringMatching(/[.!?]$/));
  });
});
