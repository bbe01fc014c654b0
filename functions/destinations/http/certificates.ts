import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { issue, text } from '../setting.ts';

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * One or more certificates as PEM text; gives each block by itself. Line ends written as `\n` count
 * as line ends, since environment files hold one line.
 */
export const certificates = text.transform((value, context): readonly string[] => {
  const blocks = value.replaceAll('\\n', '\n').match(BLOCK) ?? [];
  if (blocks.length === 0) {
    context.addIssue(
      issue(
        'This is not a certificate in PEM form.',
        'Paste the text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, or name a staged file.',
      ),
    );
    return z.NEVER;
  }
  const broken = blocks.findIndex((block) => !isCertificate(block));
  if (broken < 0) return blocks;
  context.addIssue(
    issue(
      `Certificate ${broken + 1} of ${blocks.length} cannot be read.`,
      'Copy it again, whole and with its line ends.',
    ),
  );
  return z.NEVER;
});

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
