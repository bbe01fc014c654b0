import type { StorageClass } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { MiB } from '../../core/parts.ts';
import type { Traits } from '../../core/policy.ts';
import type { Parsed, Problem } from '../../core/problem.ts';
import { Secret } from '../../core/secret.ts';
import type { Address } from '../http/address.ts';
import { certificates } from '../http/certificates.ts';
import { folder } from '../http/folder.ts';
import { httpTraits, type Trust, trustProblems } from '../http/trust.ts';
import { flag, integer, issue, secret, text } from '../setting.ts';
import { type Credentials, toCredentials } from './credentials.ts';
import { toEndpoint } from './endpoint.ts';
import { AWS, findProvider, type Provider } from './providers.ts';

/** What the driver needs, checked and put together. */
export interface S3Settings extends Trust {
  readonly bucket: string;
  /** Folders below the bucket without slashes at either end; '' for none. */
  readonly folder: string;
  readonly credentials: Credentials;
  readonly endpoint: Address;
  readonly provider: Provider;
  /** To sign for; undefined asks the server. */
  readonly region?: string | undefined;
  readonly storageClass?: StorageClass | undefined;
  /** Bytes; undefined for Ferry's own choice. */
  readonly partSize?: number | undefined;
}

const PART_MIB = { min: 5, max: 5 * 1024 } as const;

const protocol = text.transform((value, context) => {
  const word = value.toLowerCase();
  if (word === 'http' || word === 'https') return word;
  context.addIssue(issue('This is neither http nor https.', 'Write https, or http if you must.'));
  return z.NEVER;
});

const partSize = text.transform((value, context) => {
  if (Number(value) === 0) return undefined;
  const mebibytes = integer(PART_MIB.min, PART_MIB.max).safeParse(value);
  if (mebibytes.success) return mebibytes.data * MiB;
  context.addIssue(
    issue(
      'S3 takes parts of 5 MiB to 5120 MiB (5 GiB).',
      'Give a whole number of MiB from 5 to 5120, or 0 to let Ferry choose.',
    ),
  );
  return z.NEVER;
});

const bucket = text.transform((value, context) => {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(value)) return value;
  context.addIssue(
    value.includes('/')
      ? issue(
          'This is more than the name of a bucket.',
          'Give the name alone; a folder goes into AWS_S3_PATH and a host into AWS_ENDPOINT.',
        )
      : issue('A bucket cannot have this name.', 'Give the name as the provider shows it.'),
  );
  return z.NEVER;
});

/** The SDK's type has AWS's own classes only; other servers have others, and take any text. */
const storageClass = text.pipe(z.custom<StorageClass>((value) => typeof value === 'string'));

const roleEndpoint = text.transform((value, context) => {
  const url = URL.parse(value);
  const isPlain = url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '';
  if (isPlain) return url;
  context.addIssue(
    issue('This is not a web address.', 'Write it like http://169.254.170.2/v2/credentials/….'),
  );
  return z.NEVER;
});

/** docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
const roleArn = text.transform((value, context) => {
  const [, name] =
    /^arn:aws[\w-]*:iam::\d{12}:role\/(?:[\w+=,.@-]+\/)*([\w+=,.@-]+)$/.exec(value) ?? [];
  if (name?.startsWith('ferry-')) return value;
  context.addIssue(
    name === undefined
      ? issue(
          'This is not the ARN of a role.',
          'Write it like arn:aws:iam::111122223333:role/ferry-backups.',
        )
      : issue(
          'Ferry may only take on roles whose name begins with "ferry-".',
          `Make a role called ferry-${name}.`,
        ),
  );
  return z.NEVER;
});

const accessKeyId = secret.transform((value) =>
  value.isSealed ? value : new Secret(value.reveal().trim()),
);

/** Settings under the names of offen's docker-volume-backup, with AWS_REGION and AWS_ROLE_ARN, which are Ferry's own. */
export const s3Schema = z.object({
  AWS_S3_BUCKET_NAME: bucket,
  AWS_S3_PATH: folder.optional(),
  AWS_ACCESS_KEY_ID: accessKeyId.optional(),
  AWS_SECRET_ACCESS_KEY: secret.optional(),
  AWS_IAM_ROLE_ENDPOINT: roleEndpoint.optional(),
  AWS_ROLE_ARN: roleArn.optional(),
  AWS_ENDPOINT: text.optional(),
  AWS_ENDPOINT_PROTO: protocol.optional(),
  AWS_ENDPOINT_INSECURE: flag.optional(),
  AWS_ENDPOINT_CA_CERT: certificates.optional(),
  AWS_REGION: text
    .pipe(
      z.string().regex(/^[\w-]+$/, issue('This is not a region.', 'Write it like eu-central-1.')),
    )
    .optional(),
  AWS_STORAGE_CLASS: storageClass.optional(),
  AWS_PART_SIZE: partSize.optional(),
});

type Given = z.output<typeof s3Schema>;

const TRUST = {
  address: 'AWS_ENDPOINT',
  insecure: 'AWS_ENDPOINT_INSECURE',
  authority: 'AWS_ENDPOINT_CA_CERT',
  toHttps: 'set AWS_ENDPOINT_PROTO to https',
};

/** What one setting says about another, and the shape that the driver wants. */
export function toS3Settings(given: Given): Parsed<S3Settings> {
  const endpoint = toEndpoint(given.AWS_ENDPOINT, given.AWS_ENDPOINT_PROTO);
  if (!endpoint.ok) return endpoint;
  const { provider, region } = findProvider(endpoint.value.host);
  const trust = {
    insecure: given.AWS_ENDPOINT_INSECURE ?? false,
    authorities: given.AWS_ENDPOINT_CA_CERT ?? [],
  };
  const credentials = toCredentials(given, provider === AWS);
  const problems = [
    ...(credentials.ok ? [] : credentials.problems),
    ...hostProblems(given, endpoint.value),
    ...trustProblems(TRUST, trust, endpoint.value.protocol),
    ...(provider === AWS ? awsProblems(given, endpoint.value) : []),
  ];
  if (!credentials.ok || problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      bucket: given.AWS_S3_BUCKET_NAME,
      folder: given.AWS_S3_PATH ?? '',
      credentials: credentials.value,
      endpoint: endpoint.value,
      provider,
      region: given.AWS_REGION ?? region,
      ...trust,
      storageClass: given.AWS_STORAGE_CLASS,
      partSize: given.AWS_PART_SIZE,
    },
  };
}

/** What the operator's policy looks at. */
export function s3Traits(given: Given): Traits {
  const endpoint = toEndpoint(given.AWS_ENDPOINT, given.AWS_ENDPOINT_PROTO);
  return httpTraits(TRUST, given.AWS_ENDPOINT_INSECURE, endpoint.ok ? endpoint.value : undefined);
}

function* hostProblems(given: Given, endpoint: Address): Generator<Problem> {
  if (endpoint.host.startsWith(`${given.AWS_S3_BUCKET_NAME.toLowerCase()}.`)) {
    yield {
      path: 'AWS_ENDPOINT',
      problem: 'The address begins with the name of the bucket.',
      remedy: `Give ${endpoint.host.slice(given.AWS_S3_BUCKET_NAME.length + 1)} instead.`,
    };
  }
}

function* awsProblems(given: Given, endpoint: Address): Generator<Problem> {
  // docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  const name = given.AWS_S3_BUCKET_NAME;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) {
    yield {
      path: 'AWS_S3_BUCKET_NAME',
      problem: 'At AWS a bucket has 3 to 63 lower-case letters, digits, dots and hyphens.',
      remedy: 'Give the name as the AWS console shows it, or your own server in AWS_ENDPOINT.',
    };
  }
  const known = AWS.storageClasses ?? [];
  if (given.AWS_STORAGE_CLASS !== undefined && !known.includes(given.AWS_STORAGE_CLASS)) {
    yield {
      path: 'AWS_STORAGE_CLASS',
      problem: 'AWS has no storage class of this name.',
      remedy: `Give one of ${known.join(', ')}, or leave it out.`,
    };
  }
  if (endpoint.protocol === 'http') {
    yield {
      path: 'AWS_ENDPOINT_PROTO',
      problem:
        'AWS would be reached over plain http, where anybody on the way can read the backup.',
      remedy: 'Set it to https or leave it out.',
    };
  }
}
