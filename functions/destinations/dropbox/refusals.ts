import { DropboxResponseError } from 'dropbox';
import * as z from 'zod';

/** What Dropbox said no with. */
export interface Refusal {
  readonly status: number;
  /** Tags of the error from the outside in, such as `path`, `conflict`, `folder`. */
  readonly tags: readonly string[];
  /** The permission that the token or the app lacks. */
  readonly scope?: string | undefined;
  /** Where the next bytes of a session would have to begin. */
  readonly correctOffset?: number | undefined;
  /** Seconds. */
  readonly retryAfter?: string | undefined;
  readonly requestId?: string | undefined;
}

const tagged = z.looseObject({ '.tag': z.string() });
/** dropbox.com/developers/documentation/http, "Errors by status code"; for tokens RFC 6749, 5.2. */
const routeError = z.looseObject({ error: z.union([z.looseObject({}), z.string()]) });
const details = z.object({
  required_scope: z.string().optional().catch(undefined),
  correct_offset: z.number().optional().catch(undefined),
  retry_after: z.number().optional().catch(undefined),
});
/** "…because it does not have the required scope 'files.content.write'…", a text with status 400. */
const APP_LACKS = /required scope '([a-z_.]+)'/;
const DEEPEST = 6;

/** What is said in an error of the official client; undefined for any other error. */
export function readRefusal(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof DropboxResponseError)) return undefined;
  const { status, error } = thrown;
  const from = (name: string) => headerOf(thrown.headers, name);
  const refusal = { status, requestId: from('x-dropbox-request-id') };
  const retryAfter = from('retry-after');
  if (typeof error === 'string') {
    const scope = APP_LACKS.exec(error)?.[1];
    return { ...refusal, retryAfter, tags: scope === undefined ? [] : ['missing_scope'], scope };
  }
  const said = routeError.safeParse(error).data?.error;
  if (said === undefined) return { ...refusal, retryAfter, tags: [] };
  if (typeof said === 'string') return { ...refusal, retryAfter, tags: [said] };
  const { tags, innermost } = follow(said);
  const { required_scope: scope, correct_offset, retry_after } = details.parse(innermost);
  return {
    ...refusal,
    tags,
    scope,
    correctOffset: correct_offset,
    retryAfter:
      retryAfter ?? details.parse(said).retry_after?.toString() ?? retry_after?.toString(),
  };
}

/** Whether these tags follow each other somewhere in the error. */
export function says(refusal: Refusal | undefined, ...tags: readonly string[]): boolean {
  return refusal !== undefined && `/${refusal.tags.join('/')}/`.includes(`/${tags.join('/')}/`);
}

/** Goes down from tag to tag: a union's value stands under its tag's name, a struct's reason under `reason`. */
function follow(error: object): { tags: string[]; innermost: object } {
  const tags: string[] = [];
  let innermost: object = error;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const { data } = tagged.safeParse(innermost);
    if (data) tags.push(data['.tag']);
    const fields: Readonly<Record<string, unknown>> = { ...innermost };
    const next = (data && fields[data['.tag']]) ?? fields.reason;
    if (typeof next !== 'object' || next === null) break;
    innermost = next;
  }
  return { tags, innermost };
}

function headerOf(headers: unknown, name: string): string | undefined {
  return headers instanceof Headers ? (headers.get(name) ?? undefined) : undefined;
}
