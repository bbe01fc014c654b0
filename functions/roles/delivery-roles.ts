import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import * as z from 'zod';
import { abortError, FerryError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';

/** How long the keys of a role are asked for; an hour is what every role allows. */
const SESSION_SECONDS = 3600;

const assumed = z.object({
  Credentials: z.object({
    AccessKeyId: z.string(),
    SecretAccessKey: z.string().transform((text) => new Secret(text)),
    SessionToken: z.string().transform((text) => new Secret(text)),
    Expiration: z.date(),
  }),
});

const refusal = z.object({
  name: z.string(),
  message: z.string().catch(''),
  $metadata: z.object({ httpStatusCode: z.number().optional(), requestId: z.string().optional() }),
});

/**
 * The external id that a user's role has to ask for. It follows from the user alone and is not a
 * setting, so that no user gets at the role of another by writing its name into settings
 * (docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
 */
export function externalId(userId: string): string {
  return `ferry:${userId}`;
}

/** Roles in AWS accounts of users, which trust the role of the transfer function. */
export function openDeliveryRoles(client: STSClient) {
  return {
    /**
     * Keys of a role for an hour.
     * @throws FerryError `auth-refused` where the role does not trust us for this user
     */
    async assume(userId: string, arn: string, signal: AbortSignal) {
      const command = new AssumeRoleCommand({
        RoleArn: arn,
        RoleSessionName: 'ferry',
        ExternalId: externalId(userId),
        DurationSeconds: SESSION_SECONDS,
      });
      try {
        const answer = assumed.parse(await client.send(command, { abortSignal: signal }));
        const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials;
        return {
          accessKeyId: AccessKeyId,
          secretAccessKey: SecretAccessKey,
          sessionToken: SessionToken,
          expiresAt: Expiration,
        };
      } catch (thrown) {
        throw signal.aborted ? abortError(signal) : roleError(thrown, userId);
      }
    },
  };
}

function roleError(thrown: unknown, userId: string): FerryError {
  const told = refusal.safeParse(thrown);
  const cause = told.success
    ? { name: told.data.name, message: told.data.message, ...told.data.$metadata }
    : undefined;
  if (cause?.httpStatusCode === 403 || cause?.httpStatusCode === 400) {
    return new FerryError(
      'auth-refused',
      'AWS does not give Ferry the role in AWS_ROLE_ARN. Its name has to begin with "ferry-", and its ' +
        `trust policy has to allow Ferry's transfer role sts:AssumeRole with the external id "${externalId(userId)}".`,
      { retry: 'never', cause },
    );
  }
  return new FerryError(
    'server-error',
    'AWS could not be asked for the role in AWS_ROLE_ARN. Ferry tries again later.',
    { retry: 'later', cause },
  );
}
