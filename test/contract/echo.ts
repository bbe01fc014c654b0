import type { React, Seen } from '../servers/http-front.ts';

/** What a server that means no good sends back: all that it was told, in every way that it can. */
export function echo({ method, path, query, headers }: Seen, sent: Buffer, status: number) {
  const told = [decoded(headers.authorization), sent.subarray(0, 2000).toString('latin1')];
  const words = `${method} ${path}?${query} ${JSON.stringify(headers)} ${told.join(' ')}`;
  const header = encodeURIComponent(words).slice(0, 2000);
  const isXml = status % 2 === 0;
  const xml = `<Error><Code>Echo</Code><Message>${words.replace(/[<>&]/g, ' ')}</Message></Error>`;
  const json = { error_summary: words, error: { '.tag': words }, error_description: words };
  return {
    status,
    body: isXml ? xml : JSON.stringify(json),
    headers: {
      'content-type': isXml ? 'application/xml' : 'application/json',
      'x-ms-error-code': header,
      'x-dropbox-request-id': header,
      location: `https://elsewhere.example/${header}`,
      ...(status === 401 ? { 'www-authenticate': `Basic realm="${header}"` } : {}),
    },
  };
}

function decoded(authorization = ''): string {
  const [, token = ''] = /^Basic (.*)$/.exec(authorization) ?? [];
  return Buffer.from(token, 'base64').toString();
}

/** Passes so many requests on to the server, and does something else with all others. */
export function after(passed: number, otherwise: React): React {
  let count = 0;
  return (seen, sent) => (++count > passed ? otherwise(seen, sent) : undefined);
}
