import { z } from 'zod';
import { type ErrorCode, FerryError, type Retry } from '../../core/errors.ts';

const failure = z.object({
  name: z.string().catch('Error'),
  code: z.string().optional().catch(undefined),
  message: z.string().catch(''),
});

type Meaning = readonly [code: ErrorCode, retry: Retry, message: string];

const UNTRUSTED = 'tls-untrusted';
const OWN_AUTHORITY: Meaning = [
  UNTRUSTED,
  'never',
  "The server's certificate was issued by nobody Ferry knows. Paste your authority's certificate into AWS_ENDPOINT_CA_CERT.",
];
const NO_WAY: Meaning = [
  'unreachable',
  'later',
  'The server cannot be reached. Check AWS_ENDPOINT and that its firewall lets Ferry in.',
];
const NO_NAME: Meaning = [
  'unreachable',
  'later',
  'The name of the server is not known. Check AWS_ENDPOINT.',
];
const BROKEN: Meaning = [
  'unreachable',
  'now',
  'The connection to the server broke. Ferry tries again.',
];
const SILENT: Meaning = ['timeout', 'now', 'The server stopped answering. Ferry tries again.'];
const NOT_S3: Meaning = [
  'protocol',
  'later',
  'The server answered something that is not S3. Check that AWS_ENDPOINT is an S3 address.',
];

/** System errors (errno(3)) and those of Node's TLS (nodejs.org/api/tls.html, X509 certificate error codes). */
const BY_CODE: Readonly<Record<string, Meaning>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: OWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: OWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: OWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OWN_AUTHORITY,
  CERT_HAS_EXPIRED: [UNTRUSTED, 'never', "The server's certificate has expired. Renew it."],
  CERT_NOT_YET_VALID: [
    UNTRUSTED,
    'never',
    "The server's certificate is not valid yet. Check the clock of the machine that issued it.",
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    UNTRUSTED,
    'never',
    "The server's certificate is for another name. Give in AWS_ENDPOINT the name that the certificate is for.",
  ],
  EPROTO: [
    'protocol',
    'never',
    'The server does not speak TLS at this port. Correct the port in AWS_ENDPOINT, or set AWS_ENDPOINT_PROTO to http.',
  ],
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  ECONNREFUSED: NO_WAY,
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
  EADDRNOTAVAIL: NO_WAY,
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  ECONNABORTED: BROKEN,
  ERR_STREAM_PREMATURE_CLOSE: BROKEN,
  ETIMEDOUT: SILENT,
};

/** A connection that was not made, broke, or brought something that is not S3. */
export function networkError(thrown: unknown): FerryError {
  const told = failure.safeParse(thrown);
  const { name, code = '', message } = told.success ? told.data : { name: 'Error', message: '' };
  const [what, retry, text] = meaning(name, code, message);
  return new FerryError(what, text, {
    retry,
    cause: { name, code, message: message.slice(0, 300) },
  });
}

function meaning(name: string, code: string, message: string): Meaning {
  const known = BY_CODE[code];
  if (known) return known;
  // The SDK's handler gives these a name but no code (@smithy/node-http-handler, set-*-timeout.js).
  if (name === 'TimeoutError') return message.includes('establish a connection') ? NO_WAY : SILENT;
  if (code.startsWith('ERR_SSL') || code.includes('CERT')) {
    return [UNTRUSTED, 'never', `The TLS connection to the server is refused (${code}).`];
  }
  return NOT_S3;
}
