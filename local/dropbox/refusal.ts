/** An answer that is not 200. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly body: string | object;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    body: string | object,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** One member of a union, told by its tags from the outside in; `details` are fields of the innermost. */
export function union(tags: readonly string[], details: object = {}): object {
  const [tag = 'other', ...inner] = tags;
  return inner.length === 0
    ? { '.tag': tag, ...details }
    : { '.tag': tag, [tag]: union(inner, details) };
}

function summary(tags: readonly string[]): string {
  return `${tags.join('/')}/${'.'.repeat(tags.length % 3)}`;
}

/** An error of the route itself (409), as dropbox.com/developers/documentation/http, "Errors by status code". */
export function routeError(tags: readonly string[], details: object = {}): Refusal {
  return new Refusal(409, { error_summary: summary(tags), error: union(tags, details) });
}

/** The same where `files/upload` could not save what it received: a struct with the reason in it. */
export function uploadFailed(reason: readonly string[], sessionId: string): Refusal {
  const error = { '.tag': 'path', reason: union(reason), upload_session_id: sessionId };
  return new Refusal(409, { error_summary: summary(['path', ...reason]), error });
}

/** The token is not accepted (401). */
export function authError(tag: string, details: object = {}): Refusal {
  return new Refusal(401, { error_summary: summary([tag]), error: union([tag], details) });
}

/** The request is not one that the route takes (400): text, not JSON. */
export function badRequest(route: string, problem: string): Refusal {
  return new Refusal(400, `Error in call to API function "${route}": ${problem}`);
}

/** Too many requests, or writes, at once (429; dropbox.com/developers/reference/data-ingress-guide). */
export function rateLimited(
  reason: 'too_many_requests' | 'too_many_write_operations',
  seconds: number,
): Refusal {
  const error = { reason: union([reason]), retry_after: seconds };
  return new Refusal(
    429,
    { error_summary: summary([reason]), error },
    { 'retry-after': String(seconds) },
  );
}
