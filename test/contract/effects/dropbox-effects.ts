import { MiB, partRange } from '../../../functions/core/parts.ts';
import { NEVER } from '../../../functions/core/stopping.ts';
import { startFront } from '../../servers/http-front.ts';
import { openWith, settingsOf, startFake } from '../dropbox-subject.ts';
import { sampleBytes } from '../sample.ts';
import { type Effects, FILE, type Settings, tryDelivery } from './effect.ts';

const BLOCK = 4 * MiB;
const MANY = 5;
/** Long enough for every request that may be under way to be so. */
const LINGER_MS = 300;

/** What each setting of a Dropbox destination does, seen on the fake and on the wire before it. */
export async function startDropboxEffects(): Promise<Effects> {
  const fake = await startFake();
  const account = fake.addAccount('effects');
  const front = await startFront(fake.endpoint);
  const outcome = (settings: Settings) => tryDelivery('dropbox', settings);
  const whereItArrives = async (settings: Settings) => {
    account.tree.remove('');
    await outcome(settings);
    return account.tree.below('').find(([, { kind }]) => kind === 'file')?.[1].path;
  };
  /** What is asked for at the front, in place of the fake itself. */
  const askedThere = async (settings: Settings) => {
    const before = front.seen.length;
    await outcome(settings);
    const paths = front.seen.slice(before).map(({ path }) => path);
    return {
      files: paths.some((path) => path.startsWith('/2/files/')),
      tokens: paths.includes('/oauth2/token'),
    };
  };
  const mostAtOnce = async (settings: Settings) => {
    let underWay = 0;
    let most = 0;
    front.react(async ({ path }) => {
      if (!path.endsWith('append_v2')) return undefined;
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
      underWay -= 1;
      return undefined;
    });
    const destination = await openWith(settings);
    const plan = { size: MANY * BLOCK, partSize: BLOCK, count: MANY };
    const file = { path: FILE, size: plan.size, transferId: '0123456789abcdef' };
    const upload = await destination.begin(file, plan, NEVER);
    await Promise.all(
      Array.from({ length: MANY }, (_, number) => {
        const bytes = sampleBytes(BLOCK, `part ${number}`);
        return upload.writePart({ ...partRange(plan, number), bytes }, NEVER);
      }),
    );
    await destination.close();
    front.react(() => undefined);
    return most;
  };
  const base = settingsOf(fake, account);

  return {
    type: 'dropbox',
    base,
    effects: {
      DROPBOX_APP_KEY: {
        values: [fake.app.key, 'anotherapp'],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      DROPBOX_APP_SECRET: {
        values: [fake.app.secret, undefined],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      DROPBOX_REFRESH_TOKEN: {
        values: [base.DROPBOX_REFRESH_TOKEN, 'of-nobody'],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      DROPBOX_REMOTE_PATH: {
        values: ['/one', 'two/x/'],
        seen: [`/one/${FILE}`, `/two/x/${FILE}`],
        observe: whereItArrives,
      },
      DROPBOX_CONCURRENCY_LEVEL: {
        beside: { DROPBOX_ENDPOINT: front.endpoint },
        values: [1, '3'],
        seen: [1, 3],
        observe: mostAtOnce,
      },
      DROPBOX_ENDPOINT: {
        values: [front.endpoint, fake.endpoint],
        seen: [
          { files: true, tokens: false },
          { files: false, tokens: false },
        ],
        observe: askedThere,
      },
      DROPBOX_OAUTH2_ENDPOINT: {
        values: [front.endpoint, fake.endpoint],
        seen: [
          { files: false, tokens: true },
          { files: false, tokens: false },
        ],
        observe: askedThere,
      },
    },
    async stop() {
      await front.stop();
      await fake.stop();
    },
  };
}
