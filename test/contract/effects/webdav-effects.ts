import { startApache } from '../../servers/apache.ts';
import { createAuthority } from '../../servers/certificates.ts';
import { startFront } from '../../servers/http-front.ts';
import { settingsOf, through } from '../webdav-subject.ts';
import { type Effects, FILE, type Settings, tryDelivery } from './effect.ts';

/** What each setting of a WebDAV destination does, seen on Apache and on the wire before it. */
export async function startWebDavEffects(): Promise<Effects> {
  const server = await startApache();
  const authority = await createAuthority();
  const stranger = await createAuthority();
  const { origin, pathname } = new URL(server.url);
  const plain = await startFront(origin);
  const sealed = await startFront(origin, await authority.issue('IP:127.0.0.1'));

  const outcome = (settings: Settings) => tryDelivery('webdav', settings);
  /** Where the file got its name, as the request said it. */
  const whereItArrives = async (settings: Settings) => {
    const before = plain.seen.length;
    await outcome(settings);
    const move = plain.seen.slice(before).findLast(({ method }) => method === 'MOVE');
    return move && new URL(String(move.headers.destination)).pathname;
  };
  const onSealed = { WEBDAV_URL: through(sealed, server) };

  return {
    type: 'webdav',
    base: settingsOf(server, through(plain, server)),
    effects: {
      WEBDAV_URL: {
        values: [through(plain, server), server.url],
        seen: [`${pathname}/${FILE}`, undefined],
        observe: whereItArrives,
      },
      WEBDAV_PATH: {
        values: ['nightly', '/weekly/x/'],
        seen: [`${pathname}/nightly/${FILE}`, `${pathname}/weekly/x/${FILE}`],
        observe: whereItArrives,
      },
      WEBDAV_USERNAME: {
        values: [server.username, 'nobody'],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      WEBDAV_PASSWORD: {
        values: [server.password, 'wrong'],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      WEBDAV_URL_INSECURE: {
        beside: onSealed,
        values: [true, 'no'],
        seen: ['delivered', 'tls-untrusted'],
        observe: outcome,
      },
      WEBDAV_URL_CA_CERT: {
        beside: onSealed,
        values: [authority.pem, stranger.pem],
        seen: ['delivered', 'tls-untrusted'],
        observe: outcome,
      },
    },
    async stop() {
      await Promise.all([plain.stop(), sealed.stop()]);
      await Promise.all([authority.remove(), stranger.remove()]);
      await server.stop();
    },
  };
}
