import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../servers/certificates.ts';
import { type Front, type React, startFront } from '../servers/http-front.ts';
import { after, echo } from './echo.ts';
import { MARKED_PLACES, type MarkedPlace } from './marked-places.ts';
import { everythingIn, formsIn } from './marks.ts';
import { type Told, tryEverything } from './try-everything.ts';

const STATUSES = [
  200, 201, 207, 301, 400, 401, 403, 404, 405, 409, 412, 413, 416, 429, 500, 503, 507,
];
const AFTER = [1, 3, 5, 8];

/** Ways in which a server misbehaves, some of them from a later request on. */
const MISDEEDS: readonly (readonly [string, () => React])[] = [
  ...STATUSES.map(
    (status) => [`${status}`, (): React => (seen, sent) => echo(seen, sent, status)] as const,
  ),
  ...AFTER.flatMap((passed) =>
    [401, 403, 500, 507].map((status) => {
      const react = () => after(passed, (seen, sent) => echo(seen, sent, status));
      return [`${status} after ${passed}`, react] as const;
    }),
  ),
  ...(['lose-request', 'lose-answer', 'cut-answer'] as const).flatMap((reaction) =>
    [0, 4].map(
      (passed) => [`${reaction} after ${passed}`, () => after(passed, () => reaction)] as const,
    ),
  ),
];

describe.each(Object.entries(MARKED_PLACES))('%s', (name, start) => {
  let place: MarkedPlace;
  beforeAll(async () => {
    place = await start();
  });
  afterAll(() => place.stop());

  /** Where a secret shows in what a driver told. */
  const shownIn = ({ told, errors }: Told) =>
    [...told, ...errors].flatMap((each) => formsIn(everythingIn(each), place.marks()));

  const through = async (react: React, work: (front: Front) => Promise<void>) => {
    const front = await startFront(place.origin);
    front.react(react);
    try {
      await work(front);
    } finally {
      await front.stop();
    }
  };

  it('delivers, and tells no secret where all goes well', async () => {
    await through(
      () => undefined,
      async (front) => {
        const outcome = await tryEverything(place.type, place.settingsAt(front.endpoint));
        expect(outcome.errors).toEqual([]);
        expect(shownIn(outcome)).toEqual([]);
      },
    );
  });

  it.each([0, 1, 2, 3])(
    'tells no secret to whom it met with a server that repeats all it is told (%i)',
    async (group) => {
      const failures = MISDEEDS.filter((_, at) => at % 4 === group).map(async ([name, react]) => {
        let shown: readonly string[] = [];
        let errors = 0;
        await through(react(), async (front) => {
          const outcome = await tryEverything(place.type, place.settingsAt(front.endpoint));
          shown = shownIn(outcome);
          errors = outcome.errors.length;
        });
        return { name, shown, errors };
      });
      const found = await Promise.all(failures);
      expect(found.filter(({ shown }) => shown.length > 0)).toEqual([]);
      // Most of what a server does wrong is an error, or nothing was tried here.
      expect(found.filter(({ errors }) => errors > 0).length).toBeGreaterThan(found.length / 2);
    },
  );

  it('was repeated to by its server, so that there was something to be found', async () => {
    let repeated = '';
    const react: React = (seen, sent) => {
      const answer = echo(seen, sent, 401);
      repeated += answer.body;
      return answer;
    };
    await through(react, async (front) => {
      await tryEverything(place.type, place.settingsAt(front.endpoint));
    });
    // Keys sign requests and are told to nobody.
    if (/key|connection/.test(name)) expect(repeated).toMatch(/SharedKey /);
    else expect(formsIn(repeated, place.marks())).not.toEqual([]);
  });

  it('tells no secret where nobody answers, or somebody whose certificate is not trusted', async () => {
    const authority = await createAuthority();
    const sealed = await startFront(place.origin, await authority.issue('IP:127.0.0.1'));
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const origins = ['http://127.0.0.1:1', sealed.endpoint, `http://127.0.0.1:${port}`];
      const outcomes = await Promise.all(
        origins.map((origin) => tryEverything(place.type, place.settingsAt(origin))),
      );
      for (const outcome of outcomes) expect(outcome.errors.length).toBeGreaterThan(2);
      expect(outcomes.flatMap(shownIn)).toEqual([]);
    } finally {
      silent.close();
      await sealed.stop();
      await authority.remove();
    }
  });
});
