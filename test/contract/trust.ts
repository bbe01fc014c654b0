import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FerryError } from '../../functions/core/errors.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { CheckStep } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { type Authority, createAuthority } from '../servers/certificates.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import { deliverSmall } from './effects/effect.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

type Settings = Readonly<Record<string, unknown>>;

/** A server without TLS, and the settings that have to do with it. */
export interface PlainServer {
  /** Without the path: `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Settings that reach it at another origin, which speaks TLS in front of it. */
  settingsAt(origin: string): Settings;
  stop(): Promise<void>;
}

/** The settings about certificates that a type has; some types take what the public roots say, and no more. */
export interface TrustNames {
  readonly insecure?: string;
  readonly authority?: string;
  /** Named in the sentence about a certificate for another host. */
  readonly address: string;
}

/** Whose certificates a type believes: the same for every type that speaks HTTP. */
export function trust(type: string, names: TrustNames, start: () => Promise<PlainServer>): void {
  describe(`${type} over TLS`, () => {
    const roots = getCACertificates('default');
    let server: PlainServer;
    let authority: Authority;
    let stranger: Authority;
    let fronts: Record<'good' | 'expired' | 'misnamed', Front>;

    beforeAll(async () => {
      server = await start();
      [authority, stranger] = await Promise.all([createAuthority(), createAuthority()]);
      const seal = async (host: string, days?: number) =>
        startFront(server.origin, await authority.issue(host, days));
      fronts = {
        good: await seal('IP:127.0.0.1'),
        expired: await seal('IP:127.0.0.1', -1),
        misnamed: await seal('DNS:other.example'),
      };
    });
    afterEach(() => setDefaultCACertificates(roots));
    afterAll(async () => {
      await Promise.all(Object.values(fronts).map((front) => front.stop()));
      await Promise.all([authority.remove(), stranger.remove(), server.stop()]);
    });

    const tryTo = async (front: Front, more: Settings) => {
      const parsed = parseDestination(
        type,
        { ...server.settingsAt(front.endpoint), ...more },
        NO_LIMITS,
      );
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const destination = await parsed.value.open(NO_SURROUNDINGS);
      try {
        const steps: CheckStep[] = [];
        for await (const step of destination.check(NEVER)) steps.push(step);
        const delivery = await deliverSmall(destination).catch((error: FerryError) => error);
        return { delivery, steps, last: steps.at(-1) };
      } finally {
        await destination.close();
      }
    };
    const expectRefused = async (front: Front, more: Settings, words: string) => {
      const before = front.seen.length;
      const { delivery, last } = await tryTo(front, more);
      expect(delivery).toMatchObject({ code: 'tls-untrusted', retry: 'never' });
      expect(delivery).toHaveProperty('message', expect.stringContaining(words));
      expect(last).toMatchObject({ step: 'TLS', error: { code: 'tls-untrusted' } });
      // Nothing is told to a server that has not shown who it is.
      expect(front.seen.length).toBe(before);
    };

    it('a certificate of an unknown authority is refused for good', () =>
      expectRefused(fronts.good, {}, names.authority ?? 'nobody Ferry knows'));

    const { authority: authorityName, insecure } = names;
    /** Makes an authority known: by the setting, or as one of the public roots. */
    const trusting = (pem: string): Settings => {
      if (authorityName !== undefined) return { [authorityName]: pem };
      setDefaultCACertificates([...roots, pem]);
      return {};
    };

    it('a certificate of a known authority is accepted', async () => {
      const { delivery, steps } = await tryTo(fronts.good, trusting(authority.pem));
      expect(delivery).toHaveProperty('remotePath');
      expect(steps.map((step) => step.step)).toContain('TLS');
      expect(steps.flatMap((step) => step.error ?? [])).toEqual([]);
    });

    it('a certificate of another authority is refused for good', () =>
      expectRefused(fronts.good, trusting(stranger.pem), authorityName ?? 'nobody Ferry knows'));

    it('a certificate for another name is refused for good', () =>
      expectRefused(fronts.misnamed, trusting(authority.pem), names.address));

    it('a certificate that has expired is refused for good', () =>
      expectRefused(fronts.expired, trusting(authority.pem), 'expired'));

    if (authorityName !== undefined) {
      it.each([
        ['one of several', () => `${stranger.pem}\n${authority.pem}`],
        ['on one line, as environment files hold it', () => authority.pem.replaceAll('\n', '\\n')],
      ])(`${authorityName}: the user's own authority, %s`, async (_how, pem) => {
        const { delivery } = await tryTo(fronts.good, { [authorityName]: pem() });
        expect(delivery).toHaveProperty('remotePath');
      });
    }

    if (insecure !== undefined) {
      it(`${insecure}: any certificate is accepted`, async () => {
        for (const front of Object.values(fronts)) {
          const { delivery } = await tryTo(front, { [insecure]: 'true' });
          expect(delivery).toHaveProperty('remotePath');
        }
      });
    }
  });
}
