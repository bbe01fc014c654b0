import { randomBytes } from 'node:crypto';
import { MiB } from '../core/parts.ts';
import { NEVER } from '../core/stopping.ts';

const TRIAL_MIB = 4;
const LONGEST_S = 10;

/**
 * How fast one small file goes to a destination, in words: four MiB, or as much as goes in ten seconds,
 * which are removed again. Large archives go faster, in several parts at once. A server that takes small
 * files only, or has no room for this one, fails here and not in the night.
 * @param write the bytes, which cannot be compressed, under a name that nobody else uses
 * @param remove what `write` left, whole or not; again is harmless
 */
export async function measureSpeed(
  write: (bytes: Buffer, signal: AbortSignal) => Promise<unknown>,
  remove: (signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<string> {
  const bytes = randomBytes(TRIAL_MIB * MiB);
  const late = AbortSignal.timeout(LONGEST_S * 1000);
  const startedAt = performance.now();
  try {
    await write(bytes, AbortSignal.any([signal, late]));
  } catch (thrown) {
    await remove(NEVER).catch(() => undefined);
    if (!late.aborted || signal.aborted) throw thrown;
    return `less than ${TRIAL_MIB / LONGEST_S} MiB/s: ${TRIAL_MIB} MiB took longer than ${LONGEST_S} s`;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await remove(signal);
  const rate = TRIAL_MIB / seconds;
  return `${rate.toFixed(rate < 10 ? 1 : 0)} MiB/s: ${TRIAL_MIB} MiB in ${seconds.toFixed(2)} s`;
}
