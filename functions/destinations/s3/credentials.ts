import { FerryError } from '../../core/errors.ts';
import type { Parsed } from '../../core/problem.ts';
import type { Secret } from '../../core/secret.ts';
import { NEVER } from '../../core/stopping.ts';
import type { Surroundings, TemporaryKeys } from '../surroundings.ts';
import { isListed, keysFromEndpoint } from './role-endpoint.ts';

/** Where the keys that sign requests come from. */
export type Credentials =
  | { readonly from: 'settings'; readonly accessKeyId: Secret; readonly secretAccessKey: Secret }
  | { readonly from: 'role'; readonly arn: string }
  | { readonly from: 'endpoint'; readonly url: URL };

/** What settings say of keys. */
interface Given {
  readonly AWS_ACCESS_KEY_ID?: Secret | undefined;
  readonly AWS_SECRET_ACCESS_KEY?: Secret | undefined;
  readonly AWS_IAM_ROLE_ENDPOINT?: URL | undefined;
  readonly AWS_ROLE_ARN?: string | undefined;
}

/**
 * Chooses where the keys come from. Keys in the settings go before a role endpoint, as in offen's
 * docker-volume-backup; anything else that is given twice or by half is a problem.
 */
export function toCredentials(given: Given, isAws: boolean): Parsed<Credentials> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = given;
  const { AWS_IAM_ROLE_ENDPOINT: url, AWS_ROLE_ARN: arn } = given;
  if (accessKeyId !== undefined && secretAccessKey === undefined) {
    return missing('AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID is given without it.');
  }
  if (accessKeyId === undefined && secretAccessKey !== undefined) {
    return missing('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY is given without it.');
  }
  if (arn !== undefined) {
    if (accessKeyId !== undefined || url !== undefined) {
      return refuse(
        'AWS_ROLE_ARN',
        'There are keys and a role, and either is enough.',
        'Keep AWS_ROLE_ARN, or the keys.',
      );
    }
    if (isAws) return { ok: true, value: { from: 'role', arn } };
    return refuse(
      'AWS_ROLE_ARN',
      'Only AWS has roles, and AWS_ENDPOINT names another server.',
      'Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or remove AWS_ENDPOINT.',
    );
  }
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { ok: true, value: { from: 'settings', accessKeyId, secretAccessKey } };
  }
  if (url !== undefined) return { ok: true, value: { from: 'endpoint', url } };
  return missing('AWS_ACCESS_KEY_ID', 'This setting is missing.');
}

function missing(path: string, problem: string): Parsed<never> {
  return refuse(path, problem, `Give ${path}.`);
}

function refuse(path: string, problem: string, remedy: string): Parsed<never> {
  return { ok: false, problems: [{ path, problem, remedy }] };
}

/** Keys as the SDK signs with them. */
interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Asked by the SDK, and again when the keys are about to expire. */
export type CredentialProvider = () => Promise<SigningKeys>;

/**
 * Gives the keys of a destination.
 * @throws FerryError `setting-invalid` for an endpoint that the operator does not list
 */
export function provideCredentials(
  credentials: Credentials,
  { roleEndpoints, assumeRole }: Pick<Surroundings, 'roleEndpoints' | 'assumeRole'>,
): CredentialProvider {
  switch (credentials.from) {
    case 'settings': {
      const { accessKeyId, secretAccessKey } = credentials;
      return async () => ({
        accessKeyId: accessKeyId.reveal(),
        secretAccessKey: secretAccessKey.reveal(),
      });
    }
    case 'role':
      return async () => signingKeys(await assumeRole(credentials.arn, NEVER));
    case 'endpoint':
      if (!isListed(credentials.url, roleEndpoints)) throw notListed();
      return async () => signingKeys(await keysFromEndpoint(credentials.url, NEVER));
  }
}

function signingKeys(keys: TemporaryKeys): SigningKeys {
  return {
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey.reveal(),
    sessionToken: keys.sessionToken.reveal(),
    expiration: keys.expiresAt,
  };
}

function notListed(): FerryError {
  return new FerryError(
    'setting-invalid',
    'The operator does not allow the address in AWS_IAM_ROLE_ENDPOINT. Give AWS_ACCESS_KEY_ID and ' +
      'AWS_SECRET_ACCESS_KEY or, for a bucket at AWS, AWS_ROLE_ARN.',
    { retry: 'never' },
  );
}
