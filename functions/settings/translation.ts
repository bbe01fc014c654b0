import type { TranslateConfig } from '@aws-sdk/lib-dynamodb';

/** How items become values and back: alike wherever rows are read, so that their hashes agree. */
export const TRANSLATION: TranslateConfig = {
  marshallOptions: { removeUndefinedValues: true },
  unmarshallOptions: { wrapNumbers: readNumber },
};

/** A number as JavaScript has it, or its digits as text where that would change them. */
function readNumber(digits: string): number | string {
  const number = Number(digits);
  return String(number) === digits ? number : digits;
}
