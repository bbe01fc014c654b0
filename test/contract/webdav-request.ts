/** Plain requests that know nothing of Ferry's driver. */

interface Login {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** Basic (RFC 7617) in UTF-8. */
export function basicOf(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** @param path encoded, below the server's URL */
export function askDav(
  { url, username, password }: Login,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method,
    headers: { authorization: basicOf(username, password), ...headers },
    ...(body === undefined ? {} : { body }),
  });
}
