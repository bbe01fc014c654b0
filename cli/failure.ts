import { FerryError } from '../functions/core/errors.ts';
import type { Problem } from '../functions/core/problem.ts';

/** What a command ends with, as its exit status. */
export const EXIT = {
  done: 0,
  /** It was tried and did not succeed: settings refused, a check or a run that failed, AWS said no. */
  failed: 1,
  /** The command line itself is wrong. */
  misuse: 2,
  /** There is no such deployment, user, destination or run. */
  notFound: 3,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Why a command could not do what it was asked, in words for whoever typed it. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly status: ExitStatus;
  /** What is wrong with settings, where that is why. */
  readonly problems: readonly Problem[];

  constructor(
    message: string,
    {
      status = EXIT.failed,
      problems = [],
    }: { status?: ExitStatus; problems?: readonly Problem[] } = {},
  ) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

export function notFound(message: string): Failure {
  return new Failure(message, { status: EXIT.notFound });
}

export function misuse(message: string): Failure {
  return new Failure(message, { status: EXIT.misuse });
}

/** By the names that the AWS SDK gives its errors. */
const AWS: Readonly<Record<string, string>> = {
  ResourceNotFoundException:
    'AWS does not know what an output of the stacks names. Deploy Ferry again, or check --stage and --region.',
  AccessDeniedException: 'AWS does not allow this to your credentials.',
  AccessDenied: 'AWS does not allow this to your credentials.',
  CredentialsProviderError:
    'There are no AWS credentials. Set AWS_PROFILE, or log in as you do for the AWS CLI; for a Ferry on this machine give --local.',
  UnrecognizedClientException: 'AWS does not know your credentials. Log in again.',
  ExpiredTokenException: 'Your AWS credentials have expired. Log in again.',
  ExpiredToken: 'Your AWS credentials have expired. Log in again.',
};

const POLICY =
  'They need the policy that the stack output OperatorPolicyArn names: attach it to your role.';

/** What went wrong as a failure; secrets are in none of the errors that come here. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof FerryError) return new Failure(thrown.message);
  if (!(thrown instanceof Error)) return new Failure(String(thrown));
  const { message, name } = thrown;
  // The SDK has no name for it.
  if (message === 'Region is missing') {
    return new Failure('No AWS Region is set. Give --region, or set AWS_REGION.');
  }
  if (name.startsWith('AccessDenied')) return new Failure(`${AWS[name]} ${POLICY} (${message})`);
  if ('code' in thrown && thrown.code === 'ECONNREFUSED') {
    return new Failure(`Nobody answers: ${message || 'the connection was refused'}.`);
  }
  return new Failure(AWS[name] ?? `${name}: ${message}`);
}
