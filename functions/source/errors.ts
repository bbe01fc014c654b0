import * as z from 'zod';
import { abortError, FerryError } from '../core/errors.ts';

/** What is told of a failed read: a refusal of S3 has a status, a broken connection has a code at most. */
const failure = z.object({
  name: z.string().catch('Error'),
  message: z.string().catch(''),
  code: z.string().optional().catch(undefined),
  $metadata: z
    .object({
      httpStatusCode: z.number().optional().catch(undefined),
      requestId: z.string().optional().catch(undefined),
    })
    .catch({}),
});

type Failure = z.output<typeof failure>;

/** Whether asking again at once can help: no answer, a broken one, or S3 in trouble. */
export function isInterruption(thrown: unknown): boolean {
  if (thrown instanceof FerryError) return false;
  const status = parse(thrown).$metadata.httpStatusCode;
  return status === undefined || status < 400 || status === 429 || status >= 500;
}

/** The archive is no longer the one that was listed. */
export function changed(cause?: unknown): FerryError {
  return new FerryError(
    'source-changed',
    'The archive was replaced in the staging bucket while it was being read. The new one is delivered when this job is tried again.',
    { retry: 'later', scope: 'archive', cause },
  );
}

/** Any error of reading from staging, in words for the operator where only the operator can mend it. */
export function sourceError(thrown: unknown, signal: AbortSignal): FerryError {
  if (signal.aborted) return abortError(signal);
  if (thrown instanceof FerryError) return thrown;
  const told = parse(thrown);
  const status = told.$metadata.httpStatusCode;
  const { requestId } = told.$metadata;
  const cause = { name: told.name, code: told.code, status, requestId, message: told.message };
  if (status === 412) return changed(cause);
  const [code, message] = meaning(told, status);
  return new FerryError(code, message, { retry: 'later', scope: 'archive', cause });
}

function meaning(
  { name }: Failure,
  status: number | undefined,
): readonly ['source-missing' | 'source-unreadable', string] {
  if (name === 'NoSuchBucket') {
    return [
      'source-unreadable',
      'The staging bucket does not exist. Operator: deploy the state stack.',
    ];
  }
  // A version that is a delete marker answers 405.
  if (status === 404 || status === 405) {
    return ['source-missing', 'The archive is no longer in the staging bucket.'];
  }
  if (name.includes('KMS')) {
    return [
      'source-unreadable',
      'The archive is encrypted with a key that Ferry may not use. Operator: allow the transfer function kms:Decrypt on it, and check that the key is enabled.',
    ];
  }
  if (status === 401 || status === 403) {
    return [
      'source-unreadable',
      'Ferry may not read the archive. Operator: allow the transfer function s3:GetObject, s3:GetObjectVersion and, with an encrypted bucket, kms:Decrypt.',
    ];
  }
  return [
    'source-unreadable',
    'The archive could not be read from the staging bucket. Ferry tries again later.',
  ];
}

function parse(thrown: unknown): Failure {
  const told = failure.safeParse(thrown);
  return told.success ? told.data : { name: 'Error', message: '', $metadata: {} };
}
