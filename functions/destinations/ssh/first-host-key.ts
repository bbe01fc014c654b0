import * as z from 'zod';
import { toFerryError } from '../../core/errors.ts';
import type { Surroundings } from '../surroundings.ts';
import type { OfferedKey, TrustedKey } from './host-key.ts';
import type { SshSettings } from './settings.ts';

/** Longer than any schedule that people set, so that no run forgets what the one before it saw. */
const KEPT_DAYS = 400;
/** A note younger than this is not written again, in ms. */
const FRESH_MS = 7 * 24 * 3600 * 1000;

const note = z.strictObject({
  v: z.literal(1),
  /** Another server under the name of the same destination is met anew. */
  server: z.string(),
  type: z.string(),
  fingerprint: z.string(),
  firstSeen: z.iso.datetime(),
  lastSeen: z.iso.datetime(),
});

type Memory = Pick<Surroundings, 'recall' | 'remember' | 'trustFirstHostKey'>;

/**
 * The key that was trusted at first sight. Where it cannot be looked up nothing is trusted, since a
 * key that takes its place would go unnoticed.
 */
export async function recallHostKey(
  settings: SshSettings,
  { recall }: Memory,
): Promise<TrustedKey | undefined> {
  const { data, success } = note.safeParse(await recall().catch(rethrow));
  return success && data.server === serverOf(settings) ? data : undefined;
}

/** Keeps the key for the next run, from which on it is compared; before a byte of an archive is sent. */
export async function rememberHostKey(
  settings: SshSettings,
  { remember }: Memory,
  { type, fingerprint }: OfferedKey,
  known: TrustedKey | undefined,
): Promise<void> {
  const now = new Date();
  if (known && now.getTime() - Date.parse(known.lastSeen) < FRESH_MS) return;
  const lastSeen = now.toISOString();
  const seen = { firstSeen: known?.firstSeen ?? lastSeen, lastSeen };
  const found = { v: 1, server: serverOf(settings), type, fingerprint, ...seen };
  await remember(found, KEPT_DAYS).catch(rethrow);
}

function serverOf({ host, port }: SshSettings): string {
  return `[${host.toLowerCase()}]:${port}`;
}

function rethrow(thrown: unknown): never {
  throw toFerryError(thrown);
}
