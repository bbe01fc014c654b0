import { FerryError } from '../core/errors.ts';

/** KMS refuses what it was asked to decrypt: another encryption context, another key, or damage. */
const MISPLACED = ['InvalidCiphertextException', 'IncorrectKeyException'];

/** By the names that KMS gives its refusals which only an operator can end. */
const OPERATOR: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'allow kms:GenerateDataKey to who seals and kms:Decrypt to who opens, as the pipeline stack does',
  DisabledException: 'enable the key',
  KMSInvalidStateException: 'enable the key, or cancel its deletion',
  NotFoundException: 'deploy the state stack, whose output SecretsKeyArn is the key',
};

/**
 * Any error of KMS. One that the sealed value itself is to blame for is `setting-invalid`; the caller
 * knows which setting that is.
 */
export function keyError(thrown: unknown): FerryError {
  if (thrown instanceof FerryError) return thrown;
  const name = thrown instanceof Error ? thrown.name : '';
  if (MISPLACED.includes(name)) {
    return new FerryError('setting-invalid', 'A sealed value cannot be opened here.', {
      retry: 'never',
      cause: thrown,
    });
  }
  const operator = OPERATOR[name];
  const what = 'The key that seals secrets cannot be used now.';
  return new FerryError(
    'secret-unreadable',
    operator ? `${what} Operator: ${operator}.` : `${what} Ferry tries again later.`,
    { retry: 'later', cause: thrown },
  );
}
