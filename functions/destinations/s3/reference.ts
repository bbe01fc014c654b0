import { AUTHORITY, INSECURE, type References } from '../reference.ts';
import type { s3Schema } from './settings.ts';

export const s3Reference: References<typeof s3Schema> = {
  AWS_S3_BUCKET_NAME: {
    kind: 'text',
    default: 'required',
    example: 'alice-backups',
    meaning: 'must exist',
  },
  AWS_S3_PATH: {
    kind: 'path',
    default: 'none',
    example: 'panel/nightly',
    meaning: 'folder in the bucket',
  },
  AWS_ACCESS_KEY_ID: {
    kind: 'secret',
    default: 'required, or a role',
    example: 'AKIAIOSFODNN7EXAMPLE',
    meaning: 'given with `AWS_SECRET_ACCESS_KEY`',
  },
  AWS_SECRET_ACCESS_KEY: {
    kind: 'secret',
    default: 'required, or a role',
    example: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    meaning: 'given with `AWS_ACCESS_KEY_ID`',
  },
  AWS_ROLE_ARN: {
    kind: 'text',
    default: 'none',
    example: 'arn:aws:iam::111122223333:role/ferry-backups',
    meaning:
      "instead of keys, for a bucket at AWS: a role in the user's account, called `ferry-…`, whose trust policy allows the roles of the functions `transfer` and `check` `sts:AssumeRole` with the external id `ferry:<userId>`. Ferry always sends the id of the user whose row it is, so nobody can use another user's role",
  },
  AWS_ENDPOINT: {
    kind: 'text',
    default: 'AWS',
    example: 's3.example.org:9000',
    meaning: 'host, or host:port, of another provider or server',
  },
  AWS_ENDPOINT_PROTO: {
    kind: 'text',
    default: '`https`',
    example: 'https',
    meaning: 'or `http`, where the operator allows it',
  },
  AWS_ENDPOINT_INSECURE: INSECURE,
  AWS_ENDPOINT_CA_CERT: AUTHORITY,
  AWS_REGION: {
    kind: 'text',
    default: 'found out',
    example: 'eu-central-1',
    meaning: 'needed where a provider does not tell its region',
  },
  AWS_STORAGE_CLASS: {
    kind: 'text',
    default: "the bucket's",
    example: 'STANDARD_IA',
    meaning: 'one that the provider has',
  },
  AWS_PART_SIZE: {
    kind: 'MiB',
    default: '`0`, chosen',
    example: 64,
    meaning: '5 to 5120; raised where the archive would have more parts than the provider takes',
  },
  AWS_IAM_ROLE_ENDPOINT: {
    kind: 'address',
    default: 'none',
    example: 'http://169.254.170.2/v2/credentials/alice',
    meaning:
      "hands out temporary keys: with a path as ECS's does, without one as EC2's metadata. Only what the operator lists (`roleEndpoints` of the stage); keys in the settings go before it",
  },
};
