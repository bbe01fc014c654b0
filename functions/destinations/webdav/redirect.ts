import { FerryError } from '../../core/errors.ts';

/**
 * Why Ferry does not go where a server points, and what to change. The way there could lead to a
 * stranger, who would be shown the password and the backup.
 * @param asked what was asked for
 * @param base WEBDAV_URL
 * @param location the server's `Location`
 */
export function redirected(asked: URL, base: URL, location: string | null): FerryError {
  const target = location === null ? null : URL.parse(location, asked.href);
  return new FerryError('protocol', explain(asked, base, target), { retry: 'never' });
}

function explain(asked: URL, base: URL, target: URL | null): string {
  if (target === null) {
    return 'The server points to another address without saying which. Correct WEBDAV_URL.';
  }
  if (target.origin !== asked.origin && target.hostname !== asked.hostname) {
    return (
      `The server points to another one, ${target.origin}, and Ferry does not take a password there. ` +
      `If it is yours, give its address in WEBDAV_URL: ${suggest(asked, base, target)}.`
    );
  }
  return `The server says that this folder has another address. Set WEBDAV_URL to ${suggest(asked, base, target)}.`;
}

/** WEBDAV_URL as it would have to be for the request to have gone to the target at once. */
function suggest(asked: URL, base: URL, target: URL): string {
  const below = asked.pathname.slice(base.pathname.length);
  const { origin, pathname } = target;
  for (const rest of [below, below.replace(/\/$/, ''), `${below}/`]) {
    if (pathname.endsWith(rest))
      return `${origin}${pathname.slice(0, pathname.length - rest.length)}`;
  }
  return `${origin}${pathname}`;
}
