import { Dropbox } from 'dropbox';

interface Access {
  readonly endpoint: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly refreshToken: string;
}

/** Where the official client would go, at a server of one address. */
export function atEndpoint(url: string, endpoint: string): string {
  const { pathname, search } = new URL(url);
  return `${endpoint}${pathname}${search}`;
}

/** The official client, made to talk to the fake. */
export function officialClient({ endpoint, ...options }: Access): Dropbox {
  return new Dropbox({
    ...options,
    fetch: (url: string, init: RequestInit) => fetch(atEndpoint(url, endpoint), init),
  });
}
