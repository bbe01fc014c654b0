import { setTimeout as wait } from 'node:timers/promises';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { FILE, type Settings } from './effects/effect.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

/** How long one call of a driver may try, in ms: some try again and again. */
const PATIENCE_MS = 1_500;
const BYTES = sampleBytes(9 * 1024 * 1024, 'marked');

/** All that a driver told while everything was tried with it: results, steps and errors. */
export interface Told {
  readonly told: unknown[];
  readonly errors: unknown[];
}

/** Does with a destination what a job, a connection test and a restore do, whatever comes of it. */
export async function tryEverything(type: string, settings: Settings): Promise<Told> {
  const told: unknown[] = [];
  const errors: unknown[] = [];
  const attempt = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> => {
    try {
      const hung = wait(2 * PATIENCE_MS, undefined, { ref: false });
      const result = await Promise.race([work(AbortSignal.timeout(PATIENCE_MS)), hung]);
      told.push(result);
      return result;
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  const parsed = parseDestination(type, settings, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const destination = await attempt(() => parsed.value.open(NO_SURROUNDINGS));
  if (!destination) return { told, errors };
  await attempt(async (signal) => {
    for await (const step of destination.check(signal)) {
      told.push(step);
      if (step.error) errors.push(step.error);
    }
  });
  await attempt((signal) => deliver(destination, signal, attempt));
  await attempt((signal) => destination.stat(FILE, signal));
  await attempt(async (signal) => {
    for await (const found of destination.list('', signal)) told.push(found);
  });
  await attempt(async (signal) => {
    for await (const bytes of destination.read(FILE, signal)) if (bytes.length === 0) break;
  });
  await attempt((signal) => destination.remove(FILE, signal));
  await attempt(() => destination.close());
  return { told, errors };
}

async function deliver(
  destination: Destination,
  signal: AbortSignal,
  attempt: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T | undefined>,
): Promise<unknown> {
  const { min, multiple } = (await destination.capabilities(signal)).part;
  const partSize = Math.ceil(Math.max(min, 64 * 1024) / multiple) * multiple;
  const bytes = BYTES.subarray(0, Math.floor(partSize * 1.5));
  const size = bytes.length;
  const plan = { size, partSize, count: 2 };
  const file = { path: FILE, size, transferId: '0123456789abcdef' };
  let upload = await destination.begin(file, plan, signal);
  for (let number = 0; number < plan.count; number++) {
    const offset = number * partSize;
    const part = bytes.subarray(offset, offset + partSize);
    const { length } = part;
    await attempt((until) => upload.writePart({ number, offset, length, bytes: part }, until));
    const saved = await attempt(() => upload.checkpoint());
    if (saved === undefined || number > 0) continue;
    const resumed = await attempt((until) => destination.resume(file, plan, saved, until));
    if (resumed?.held === 1) upload = resumed;
  }
  const proof = await attempt((until) => upload.finish(digestOf(bytes), until));
  await attempt(() => upload.abort());
  return proof;
}
