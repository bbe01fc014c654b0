import * as z from 'zod';
import { FerryError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import type { TemporaryKeys } from '../surroundings.ts';

const ANSWER_MS = 5_000;
const METADATA = '/latest/meta-data/iam/security-credentials/';
const TOKEN_SECONDS = '21600';

/** Keys as ECS and EC2 tell them. */
const told = z.object({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z
    .string()
    .min(1)
    .transform((text) => new Secret(text)),
  Token: z.string().transform((text) => new Secret(text)),
  Expiration: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
});

/**
 * Whether the operator lists the address: itself, or something that it is below of. An operator does
 * so for an address that the deployment can reach and that hands out keys for users.
 */
export function isListed(endpoint: URL, listed: readonly string[]): boolean {
  return listed.some((entry) => {
    const allowed = URL.parse(entry);
    if (allowed?.origin !== endpoint.origin) return false;
    const folder = allowed.pathname.replace(/\/*$/, '/');
    return `${endpoint.pathname}/`.startsWith(folder);
  });
}

/**
 * Temporary keys from an address that hands them out. With a path it is asked as ECS's is
 * (docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html), without one as EC2's
 * metadata is (docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html).
 * @throws FerryError in words for the user
 */
export async function keysFromEndpoint(endpoint: URL, signal: AbortSignal): Promise<TemporaryKeys> {
  const address =
    endpoint.pathname === '/' ? await findMetadata(endpoint, signal) : { url: endpoint };
  const answer = told.safeParse(parseJson(await ask(address, signal)));
  if (!answer.success) throw unusable('answered something that is not a set of keys', 'later');
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = answer.data;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: Token,
    expiresAt: Expiration,
  };
}

interface Question {
  readonly url: URL;
  readonly method?: 'GET' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
}

/** EC2: a token first, then the name of the role, whose keys are below it. */
async function findMetadata(endpoint: URL, signal: AbortSignal): Promise<Question> {
  const token = await ask(
    {
      url: new URL('/latest/api/token', endpoint),
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': TOKEN_SECONDS },
    },
    signal,
  );
  const headers = { 'x-aws-ec2-metadata-token': token };
  const roles = await ask({ url: new URL(METADATA, endpoint), headers }, signal);
  const [role = ''] = roles.split('\n');
  if (!/^[\w+=,.@-]+$/.test(role)) throw unusable('names no role', 'never');
  return { url: new URL(`${METADATA}${role}`, endpoint), headers };
}

async function ask({ url, ...request }: Question, signal: AbortSignal): Promise<string> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  let response: Response;
  try {
    response = await fetch(url, { ...request, redirect: 'error', signal: inTime });
    const text = await response.text();
    if (response.ok) return text.trim();
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    throw unusable('cannot be reached', 'later');
  }
  const isRefused = response.status >= 400 && response.status < 500 && response.status !== 429;
  throw unusable(`answers with HTTP status ${response.status}`, isRefused ? 'never' : 'later');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(what: string, retry: 'never' | 'later'): FerryError {
  return new FerryError(
    retry === 'never' ? 'auth-refused' : 'unreachable',
    `The address in AWS_IAM_ROLE_ENDPOINT ${what}. ` +
      'Correct it, or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead.',
    { retry },
  );
}
