import { RUNS_KEYS, SWEEP_INDEX } from '../../../functions/runs/keys.ts';
import { DUE_INDEX, SETTINGS_KEY } from '../../../functions/settings/keys.ts';
import { type Environment, type Nature, openEnvironment } from '../cloud/environment.ts';
import { openHashing } from '../cloud/hashing.ts';
import { openJobQueue } from '../cloud/job-queue.ts';
import { openKeyService } from '../cloud/key-service.ts';
import { openSparseIndex } from '../cloud/sparse-index.ts';
import { openStagingBucket } from '../cloud/staging-bucket.ts';
import { openTable } from '../cloud/tables.ts';
import type { Server } from '../destinations/server.ts';
import type { Deployment } from '../functions/deployment.ts';
import { pollQueue } from '../functions/event-source.ts';
import { followSettings } from '../functions/settings-feed.ts';
import { sweepNowAndThen } from '../functions/sweep.ts';
import { tickEveryMinute } from '../functions/tick.ts';
import { judgeDeliveries } from '../invariants/deliveries.ts';
import { judgeFinalState } from '../invariants/final-state.ts';
import { judgeJobs } from '../invariants/jobs.ts';
import { judgeLeases } from '../invariants/leases.ts';
import { openWitness } from '../invariants/witness.ts';
import { openPanel, type Panel } from '../people/panel.ts';
import { openPeople, type People } from '../people/people.ts';
import { inviteUsers } from '../people/users.ts';

/** A deployment with its users, from the first row to the last archive. */
export interface World {
  readonly deployment: Deployment;
  readonly people: People;
  readonly panel: Panel;
  /** Whether the tick runs. */
  isTicking: boolean;
  /** Nothing is on the queue, under way or waiting to be looked at. */
  isQuiet(): boolean;
  /** @param tickedUntil when the last tick was due, epoch ms */
  judgeEnd(tickedUntil: number): void;
}

/** Bytes of a part; worlds are small so that many fit into a minute. */
const PART = 1024;
const TIMEOUTS_MS = [60_000, 120_000, 300_000, 900_000] as const;
const SKEW_MS = 14_000;
/** More than a lease allows for, and less than S3 uploads are told apart by. */
const WILD_SKEW_MS = 140_000;
const WILD = 0.12;

export function openWorld(nature: Nature): World {
  const { history, judge, random, faults } = nature;
  const timeoutMs = random.pick(TIMEOUTS_MS);
  const wildClocks = !faults.calm && random.chance(WILD);
  const leniency = { wildClocks };
  const skewMs = wildClocks ? WILD_SKEW_MS : faults.calm ? 0 : SKEW_MS;
  const maxReceiveCount = random.pick([3, 5, 8]);

  const dueIndex = openSparseIndex(nature, { ...DUE_INDEX, tableKeys: [SETTINGS_KEY] });
  const tableKeys = [RUNS_KEYS.partitionKey, RUNS_KEYS.sortKey];
  const sweepIndex = openSparseIndex(nature, { ...SWEEP_INDEX, tableKeys });
  const settings = openTable(nature, {
    name: 'settings',
    keyNames: [SETTINGS_KEY],
    queryIndex: dueIndex.query,
  });
  const runs = openTable(nature, {
    name: 'runs',
    keyNames: tableKeys,
    queryIndex: sweepIndex.query,
  });
  const staging = openStagingBucket(nature, {
    versioned: random.chance(0.5),
    // Two workers at once are harmless as long as both read the same.
    flips: !wildClocks,
  });
  // Six times the worker's timeout, as infra/queues.ts has it.
  const queue = openJobQueue(nature, 6 * timeoutMs, maxReceiveCount);
  const witness = openWitness(history, judge);
  const servers = new Map<string, Server>();
  const wants = (userId: string, destination: string, component: string) => {
    const backUp = people.users.get(userId)?.backUp ?? [];
    const isSelected = backUp === 'everything' || backUp.includes(component);
    return isSelected && people.active(userId).includes(destination);
  };
  const deliveries = judgeDeliveries(nature, { runs, staging }, servers, leniency, wants);
  const leases = judgeLeases(nature, leniency);
  const users = inviteUsers(nature, { part: PART, timeoutMs }, servers, (place, publication) => {
    deliveries.published(place, publication);
    leases.published(place, publication);
  });
  const people = openPeople(nature, settings, users, servers);
  const tables = { runs, settings };
  const jobs = judgeJobs(nature, tables, queue, people, leases, witness);
  runs.observers.push(sweepIndex.follow, leases.written, deliveries.written, jobs.runsWritten);
  runs.onRead = leases.read;
  queue.observers.push((what, message) => {
    if (what === 'dead') jobs.diedAway(message);
  });
  settings.observers.push(dueIndex.follow, jobs.settingsWritten);

  const environments: Environment[] = [];
  const environment = (name: string) => {
    const made = openEnvironment(nature, name, skewMs);
    environments.push(made);
    return made;
  };
  const deployment: Deployment = {
    nature,
    ...{
      settings,
      dueIndex,
      runs,
      sweepIndex,
      staging,
      queue,
      servers,
      witness,
      deliveries,
      leases,
      jobs,
    },
    ...{ maxReceiveCount, timeoutMs },
    keys: openKeyService(nature),
    spread: { minutes: random.pick([0, 5]), shards: random.between(1, 3) },
    inFlight: PART * random.between(2, 8),
    hashing: openHashing(random.chance(0.5)),
    workers: Array.from({ length: random.between(2, 4) }, (_, n) => environment(`worker-${n + 1}`)),
  };
  pollQueue(deployment);
  const feed = followSettings(deployment, environment('check'));
  tickEveryMinute(deployment, environment('tick'), () => world.isTicking);
  sweepNowAndThen(deployment, environment('sweep'));

  const world: World = {
    deployment,
    people,
    panel: openPanel(nature, staging, PART),
    isTicking: true,
    isQuiet: () =>
      queue.messages.size === 0 &&
      !sweepIndex.has() &&
      feed.isQuiet &&
      environments.every(({ isIdle }) => isIdle),
    judgeEnd: (tickedUntil) =>
      judgeFinalState(nature, { ...tables, people, staging, servers, deliveries }, tickedUntil),
  };
  return world;
}
