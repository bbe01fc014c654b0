import type { Parsed, Problem } from '../../core/problem.ts';
import { type Address, addressOf } from '../http/address.ts';

/** What users get without AWS_ENDPOINT. */
const DEFAULT_HOST = 's3.amazonaws.com';

/**
 * Puts AWS_ENDPOINT and AWS_ENDPOINT_PROTO together. A whole URL is accepted where offen's
 * docker-volume-backup takes a bare host only, as long as both settings say the same.
 */
export function toEndpoint(
  given: string | undefined,
  protocol: 'http' | 'https' | undefined,
): Parsed<Address> {
  const text = given ?? DEFAULT_HOST;
  const scheme = /^(https?):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (text.includes('://') && scheme === undefined) {
    return refuse(
      'The address is neither http nor https.',
      'Give the host, such as s3.example.org.',
    );
  }
  const chosen = protocol ?? (scheme === 'http' ? 'http' : 'https');
  if (scheme !== undefined && scheme !== chosen) {
    return refuse(
      `The address begins with ${scheme}:// but AWS_ENDPOINT_PROTO says ${chosen}.`,
      'Leave the scheme out of AWS_ENDPOINT, or make both the same.',
    );
  }
  const url = URL.parse(`${chosen}://${text.replace(/^https?:\/\//i, '')}`);
  if (!url || url.hostname === '') {
    return refuse(
      'This is not a host name.',
      'Give host or host:port, such as s3.example.org:9000.',
    );
  }
  if (url.username !== '' || url.password !== '') {
    return refuse(
      'The address holds a user name or password.',
      'Give the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return refuse(
      'The address has a path.',
      'Give the host alone; the bucket goes into AWS_S3_BUCKET_NAME and a folder into AWS_S3_PATH.',
    );
  }
  return { ok: true, value: addressOf(url) };
}

function refuse(problem: string, remedy: string): { ok: false; problems: readonly Problem[] } {
  return { ok: false, problems: [{ path: 'AWS_ENDPOINT', problem, remedy }] };
}
