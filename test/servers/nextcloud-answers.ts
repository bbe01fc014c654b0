import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import type { IncomingMessage } from 'node:http';

/** What a request asks of the fake Nextcloud, with all names decoded. */
export interface DavRequest {
  readonly method: string;
  /** Of the path, below the part of the server that is asked. */
  readonly names: readonly string[];
  /** As it came, without a slash at its end. */
  readonly href: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: IncomingMessage;
  /** Names of the Destination header, below the user's files. @throws Refusal */
  destination(): readonly string[];
}

export interface DavAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes, or a file on disk with the range of it to send, its end included. */
  readonly body?: string | { readonly path: string; readonly start: number; readonly end: number };
}

/** A request that is refused, in the words of SabreDAV, which Nextcloud is built on. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }

  toAnswer(): DavAnswer {
    const body =
      '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n' +
      `  <s:exception>Sabre\\DAV\\Exception</s:exception>\n  <s:message>${escapeXml(this.message)}</s:message>\n</d:error>\n`;
    const headers = { 'content-type': 'application/xml; charset=utf-8', ...this.headers };
    return { status: this.status, headers, body };
  }
}

/** One thing that a PROPFIND tells of; values as text, or as XML where they begin with `<`. */
export interface Described {
  readonly href: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** What SabreDAV tells of a file when nothing particular is asked for. */
export function describeFile(href: string, size: number, stats: Stats, etag?: string): Described {
  return {
    href,
    properties: {
      getlastmodified: stats.mtime.toUTCString(),
      getcontentlength: `${size}`,
      resourcetype: '',
      getetag: etag ?? etagOf(stats),
      getcontenttype: 'application/octet-stream',
    },
  };
}

/** @param free bytes; -3 where there is no limit, as Nextcloud says it */
export function describeFolder(href: string, stats: Stats, used: number, free: number): Described {
  return {
    href: `${href}/`,
    properties: {
      getlastmodified: stats.mtime.toUTCString(),
      resourcetype: '<d:collection/>',
      'quota-used-bytes': `${used}`,
      'quota-available-bytes': `${free}`,
      getetag: etagOf(stats),
    },
  };
}

/** Another one after each change, the same after a rename. */
export function etagOf({ ino, mtimeMs, size }: Stats): string {
  return `"${createHash('md5').update(`${ino} ${mtimeMs} ${size}`).digest('hex')}"`;
}

/** @param asked body of the PROPFIND; none asks for all properties */
export function toMultistatus(found: readonly Described[], asked: string): DavAnswer {
  const prop = /<(?:\w+:)?prop\b[^>]*>(.*)<\/(?:\w+:)?prop>/s.exec(asked)?.[1];
  const wanted =
    prop === undefined
      ? undefined
      : [...prop.matchAll(/<(?:\w+:)?([\w-]+)[^>]*>/g)].map(([, name]) => name ?? '');
  const responses = found.map(({ href, properties }) => {
    const names = wanted ?? Object.keys(properties);
    const known = names.flatMap((name) => {
      const value = properties[name];
      if (value === undefined) return [];
      return `<d:${name}>${value.startsWith('<') ? value : escapeXml(value)}</d:${name}>`;
    });
    const unknown = names.filter((name) => properties[name] === undefined);
    return (
      `<d:response><d:href>${escapeXml(href)}</d:href>` +
      propstat(known, '200 OK') +
      propstat(
        unknown.map((name) => `<d:${name}/>`),
        '404 Not Found',
      ) +
      '</d:response>'
    );
  });
  return {
    status: 207,
    headers: { 'content-type': 'application/xml; charset=utf-8' },
    body: `<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:">${responses.join('')}</d:multistatus>\n`,
  };
}

function propstat(properties: readonly string[], status: string): string {
  if (properties.length === 0) return '';
  return `<d:propstat><d:prop>${properties.join('')}</d:prop><d:status>HTTP/1.1 ${status}</d:status></d:propstat>`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
