import * as z from 'zod';
import { type ErrorCode, FerryError, type Retry } from '../../core/errors.ts';

const failure = z.object({
  name: z.string().catch('Error'),
  code: z.string().optional().catch(undefined),
  message: z.string().catch(''),
});

type Meaning = readonly [code: ErrorCode, retry: Retry, message: string];

/** How the messages name what the user can change, and what the server should have spoken. */
export interface Wording {
  /** Setting that holds the server's address. */
  readonly address: string;
  /** What to do where the server's certificate was issued by an authority of the user's own. */
  readonly authority: string;
  /** What to do where the server speaks plain HTTP; left out where that is not possible. */
  readonly plain?: string;
  /** Such as `S3`. */
  readonly protocol: string;
}

const UNTRUSTED = 'tls-untrusted';
/** The guard's own refusal, of which a client library keeps code and sentence only. */
const FORBIDDEN = 'address-forbidden';

/** System errors (errno(3)) and those of Node's TLS (nodejs.org/api/tls.html, X509 certificate error codes). */
function meanings({ address, authority, plain }: Wording): Readonly<Record<string, Meaning>> {
  const ownAuthority: Meaning = [
    UNTRUSTED,
    'never',
    `The server's certificate was issued by nobody Ferry knows. ${authority}`,
  ];
  const noWay: Meaning = [
    'unreachable',
    'later',
    `The server cannot be reached. Check ${address} and that its firewall lets Ferry in.`,
  ];
  const noName: Meaning = [
    'unreachable',
    'later',
    `The name of the server is not known. Check ${address}.`,
  ];
  const broken: Meaning = [
    'unreachable',
    'now',
    'The connection to the server broke. Ferry tries again.',
  ];
  const noTls: Meaning = [
    'protocol',
    'never',
    `The server does not speak TLS at this port. Correct the port in ${address}${plain === undefined ? '' : `, or ${plain}`}.`,
  ];
  return {
    DEPTH_ZERO_SELF_SIGNED_CERT: ownAuthority,
    SELF_SIGNED_CERT_IN_CHAIN: ownAuthority,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: ownAuthority,
    UNABLE_TO_GET_ISSUER_CERT: ownAuthority,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ownAuthority,
    CERT_HAS_EXPIRED: [UNTRUSTED, 'never', "The server's certificate has expired. Renew it."],
    CERT_NOT_YET_VALID: [
      UNTRUSTED,
      'never',
      "The server's certificate is not valid yet. Check the clock of the machine that issued it.",
    ],
    ERR_TLS_CERT_ALTNAME_INVALID: [
      UNTRUSTED,
      'never',
      `The server's certificate is for another name. Give in ${address} the name that the certificate is for.`,
    ],
    EPROTO: noTls,
    // What a socket of Node's own is told instead.
    ERR_SSL_WRONG_VERSION_NUMBER: noTls,
    ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
    ENOTFOUND: noName,
    EAI_AGAIN: noName,
    ECONNREFUSED: noWay,
    EHOSTUNREACH: noWay,
    ENETUNREACH: noWay,
    EADDRNOTAVAIL: noWay,
    // The SDK's handler gives a connection that takes too long a name, no code (set-connection-timeout.js).
    CONNECT_TIMEOUT: noWay,
    ECONNRESET: broken,
    EPIPE: broken,
    ECONNABORTED: broken,
    ERR_STREAM_PREMATURE_CLOSE: broken,
    ETIMEDOUT: ['timeout', 'now', 'The server stopped answering. Ferry tries again.'],
  };
}

/** Makes what understands a connection that was not made, broke, or brought something unexpected. */
export function describeNetworkErrors(wording: Wording): (thrown: unknown) => FerryError {
  const known = meanings(wording);
  const unknown: Meaning = [
    'protocol',
    'later',
    `The server answered something that is not ${wording.protocol}. Check that ${wording.address} is the address of one.`,
  ];
  return (thrown) => {
    const told = failure.safeParse(thrown);
    const { name, code = '', message } = told.success ? told.data : { name: 'Error', message: '' };
    if (code === FORBIDDEN) return new FerryError(FORBIDDEN, message, { retry: 'never' });
    const key = codeOf(name, code, message);
    const meaning = Object.hasOwn(known, key) ? known[key] : undefined;
    const [what, retry, text] = meaning ?? (isTls(code) ? tlsMeaning(code) : unknown);
    return new FerryError(what, text, {
      retry,
      cause: { name, code, message: message.slice(0, 300) },
    });
  };
}

function codeOf(name: string, code: string, message: string): string {
  if (code !== '' || name !== 'TimeoutError') return code;
  return message.includes('establish a connection') ? 'CONNECT_TIMEOUT' : 'ETIMEDOUT';
}

function isTls(code: string): boolean {
  return code.startsWith('ERR_SSL') || code.includes('CERT');
}

/** An alert about a record that cannot be read (RFC 8446, 6.2) comes of damage on the way, and not of trust. */
function tlsMeaning(code: string): Meaning {
  if (/BAD_RECORD_MAC|DECRYPTION_FAILED/.test(code)) {
    return ['unreachable', 'now', 'What was sent was damaged on the way. Ferry sends it again.'];
  }
  return [UNTRUSTED, 'never', `The TLS connection to the server is refused (${code}).`];
}
