import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

/** Names a content: the same for the same values, whatever the order in which a map lists them. */
export function hashContent(content: unknown): string {
  const text = inspect(content, {
    sorted: true,
    depth: Number.POSITIVE_INFINITY,
    maxArrayLength: Number.POSITIVE_INFINITY,
    maxStringLength: Number.POSITIVE_INFINITY,
  });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
