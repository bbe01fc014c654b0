import { createHash } from 'node:crypto';
import * as z from 'zod';
import { unlessAborted } from '../../core/stopping.ts';
import type { Surroundings } from '../surroundings.ts';
import { newTrial, probe, removeTrial, type Strategy } from './probe.ts';
import type { Server } from './server.ts';

/** What a server can do, found out once. */
export interface Strategies {
  /** What is known from an earlier run, or is tried out now; who asks at the same time waits for the same. */
  find(signal: AbortSignal): Promise<Strategy>;
  /** Tries it out, whatever is known. */
  findAnew(signal: AbortSignal): Promise<Strategy>;
  /** What was believed has turned out to be wrong. */
  forget(): void;
}

const foldsCase = z.boolean();
const strategy = z.discriminatedUnion('by', [
  z.strictObject({ by: z.enum(['put-range', 'patch', 'whole']), foldsCase }),
  z.strictObject({ by: z.literal('chunks'), user: z.string(), foldsCase }),
]);
/** Version 1 said nothing of letter case. */
const findings = z.strictObject({ v: z.literal(2), of: z.string(), strategy });
/** What is noted while it is being found out. */
const begun = z.strictObject({ v: z.literal(1), of: z.string(), trial: z.string() });

/** @param closing ends what is under way when nobody is left to wait for it */
export function openStrategies(
  server: Server,
  surroundings: Pick<Surroundings, 'recall' | 'remember'>,
  closing: AbortSignal,
): Strategies {
  const of = fingerprint(server);
  let isRecalled = true;
  let finding: Promise<Strategy> | undefined;

  // What cannot be looked up is found out again; a delivery does not fail for it.
  const noted = () => surroundings.recall().catch(() => undefined);
  const note = (
    known:
      | { readonly v: 1; readonly trial: string }
      | { readonly v: 2; readonly strategy: Strategy },
  ) =>
    surroundings.remember({ of, ...known }).then(
      () => true,
      () => false,
    );
  const recall = async () => {
    if (!isRecalled) return undefined;
    const found = findings.safeParse(await noted());
    return found.success && found.data.of === of ? found.data.strategy : undefined;
  };
  const tryOut = async () => {
    const earlier = begun.safeParse(await noted());
    if (earlier.success && earlier.data.of === of) await removeTrial(server, earlier.data.trial);
    const trial = newTrial();
    await note({ v: 1, trial });
    const found = await probe(server, trial, closing);
    // What this process has just found is in `finding`; an older note would be wrong.
    isRecalled = await note({ v: 2, strategy: { ...found } });
    return found;
  };
  const share = async (work: () => Promise<Strategy>, signal: AbortSignal) => {
    finding ??= work();
    const mine = finding;
    try {
      return await unlessAborted(mine, signal);
    } catch (thrown) {
      if (finding === mine && !signal.aborted) finding = undefined;
      throw thrown;
    }
  };

  return {
    find: (signal) => share(async () => (await recall()) ?? tryOut(), signal),
    findAnew(signal) {
      finding = undefined;
      return share(tryOut, signal);
    },
    forget() {
      finding = undefined;
      isRecalled = false;
    },
  };
}

/** Whose server, which place: what was found out there holds nowhere else. */
function fingerprint({ settings }: Server): string {
  const place = [settings.url.href, settings.folder, settings.login?.username ?? ''];
  return createHash('sha256').update(JSON.stringify(place)).digest('hex').slice(0, 32);
}
