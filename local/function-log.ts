import { z } from 'zod';
import { formatBytes, formatSeconds } from './measures.ts';

const delivered = z.object({
  message: z.literal('delivered'),
  destination: z.string(),
  archive: z.string(),
  bytes: z.number(),
  durationMs: z.number(),
});

const trouble = z.object({
  level: z.enum(['WARN', 'ERROR', 'CRITICAL']),
  message: z.string(),
  service: z.string(),
  userId: z.string().optional(),
  destination: z.string().optional(),
  reason: z.string().optional(),
  cause: z.string().optional(),
});

/** A line of a function's log in words, where it says something that whoever watches wants to know. */
export function describeLine(line: string): string | undefined {
  const entry = parseLine(line);
  if (entry === undefined) return `! ${line}`;
  const good = delivered.safeParse(entry);
  if (good.success) {
    const { archive, bytes, destination, durationMs } = good.data;
    const took = formatSeconds(durationMs / 1000);
    return `✓ ${archive} → ${destination}  ${formatBytes(bytes)} in ${took}`;
  }
  const bad = trouble.safeParse(entry);
  if (!bad.success) return undefined;
  const { service, message, userId, destination, reason, cause } = bad.data;
  const where = [userId, destination].filter((name) => name !== undefined).join(', ');
  return [`! ${service}: ${message}`, where, reason, cause].filter(Boolean).join('  ');
}

/** The entry that a line of a JSON log is; undefined for any other text, such as a stack trace. */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
