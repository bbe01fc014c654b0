import { setTimeout as wait } from 'node:timers/promises';
import { type MadeArchive, type StagedFile, stageArchives } from './archives.ts';
import type { LocalFerry } from './local-ferry.ts';
import { formatBytes } from './measures.ts';
import type { DeliveryResult } from './report.ts';
import { awaitPlans, type Plan, writeSettings } from './settings-rows.ts';
import type { LocalUser } from './users.ts';
import { type ExpectedDelivery, expectedDeliveries, verify } from './verification.ts';

export interface DemonstrationOptions {
  readonly users: readonly LocalUser[];
  readonly archives: readonly MadeArchive[];
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** How long Ferry may take for all of it, in ms; what is missing then has failed. */
  readonly patienceMs: number;
}

const LOOK_EVERY_MS = 100;

/** Stages the archives, writes the users' settings, lets the tick come, and proves what arrived. */
export async function demonstrate(
  ferry: LocalFerry,
  options: DemonstrationOptions,
): Promise<DeliveryResult[]> {
  const { users, signal, say } = options;
  say('Staging archives');
  const target = { s3: ferry.services.s3, bucket: ferry.stagingBucket };
  const staged = await stageArchives(options.archives, target, signal);
  const total = staged.reduce((sum, { bytes }) => sum + bytes, 0);
  say(`Staged ${formatBytes(total)}; archives: ${staged.length}, users: ${users.length}`);

  const until = Date.now() + options.patienceMs;
  await writeSettings(users, ferry.destinations, ferry.settingsTable);
  const plans = await awaitPlans(users, ferry.settingsTable, until, signal);
  await ferry.pipeline.tick(firstTick(plans));
  const finished = await drain(ferry, until, signal);

  say('Reading everything back from the destinations');
  return await verifyAll(ferry, users, staged, plans, finished, signal);
}

/** The minute in which every user is due: ahead of the clock, so that nobody waits for it. */
function firstTick(plans: readonly Plan[]): Date {
  const times = plans.map((plan) => ('nextRun' in plan ? plan.nextRun.getTime() : 0));
  return new Date(Math.max(Date.now(), ...times));
}

/** Waits until no message is left; false when that takes too long. */
async function drain(ferry: LocalFerry, until: number, signal: AbortSignal): Promise<boolean> {
  while ((await ferry.pipeline.countMessages()) > 0) {
    if (Date.now() > until) return false;
    await wait(LOOK_EVERY_MS, undefined, { signal });
  }
  return true;
}

async function verifyAll(
  ferry: LocalFerry,
  users: readonly LocalUser[],
  staged: readonly StagedFile[],
  plans: readonly Plan[],
  finished: boolean,
  signal: AbortSignal,
): Promise<DeliveryResult[]> {
  const { destinations, log } = ferry;
  const results: DeliveryResult[] = [];
  for (const expected of expectedDeliveries(users, staged)) {
    signal.throwIfAborted();
    const { userId, destination, place, archive } = expected;
    const finding = await verify(expected, destinations, signal);
    const told = log.delivered({ userId, destination, archive: archive.key });
    const trouble = log.trouble({ userId, destination, archive: archive.key });
    results.push({
      user: userId,
      destination,
      type: place.type,
      archive: `${archive.component}/${archive.file}`,
      bytes: archive.bytes,
      sha256: archive.sha256,
      seconds: (told?.durationMs ?? 0) / 1000,
      verified: finding.verified,
      ...(!finding.verified && {
        why:
          refusal(plans, expected) ??
          trouble ??
          (finished ? finding.why : `Not done in time. ${finding.why}`),
      }),
    });
  }
  return results;
}

/** Why the user's row was not accepted. */
function refusal(plans: readonly Plan[], { userId }: ExpectedDelivery): string | undefined {
  const plan = plans.find((candidate) => candidate.userId === userId);
  return plan && 'refused' in plan ? plan.refused : undefined;
}
