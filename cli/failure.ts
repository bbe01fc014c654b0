import { FerryError } from '../functions/core/errors.ts';

/** Why a command could not do what it was asked, in words for whoever typed it. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** By the names that the AWS SDK gives its errors. */
const AWS: Readonly<Record<string, string>> = {
  ResourceNotFoundException: 'There is no table of this name. Check --table and --region.',
  AccessDeniedException:
    'AWS does not allow this to your credentials: they need dynamodb:GetItem and dynamodb:UpdateItem on the settings table, and kms:GenerateDataKey with the key that seals secrets.',
  CredentialsProviderError:
    'There are no AWS credentials. Set AWS_PROFILE, or log in as you do for the AWS CLI.',
  UnrecognizedClientException: 'AWS does not know your credentials. Log in again.',
  ExpiredTokenException: 'Your AWS credentials have expired. Log in again.',
};

/** One line for a person; secrets are in none of the errors that come here. */
export function describeFailure(thrown: unknown): string {
  if (thrown instanceof Failure || thrown instanceof FerryError) return thrown.message;
  if (!(thrown instanceof Error)) return String(thrown);
  // The SDK has no name for it.
  if (thrown.message === 'Region is missing') {
    return 'No AWS Region is set. Give --region, or set AWS_REGION.';
  }
  return AWS[thrown.name] ?? `${thrown.name}: ${thrown.message}`;
}
