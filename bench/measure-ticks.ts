import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { hashContent } from '../functions/core/content-hash.ts';
import { shardOf } from '../functions/core/spread.ts';
import { METRICS } from '../functions/platform/metric-names.ts';
import { findStage } from '../infra/stages.ts';
import { parseLine } from '../local/function-log.ts';
import { type PlatformReport, platformReport } from '../local/lambda-messages.ts';
import { LambdaProcess } from '../local/lambda-process.ts';
import { writePolicy } from '../local/operator-policy.ts';
import { endpointVariables } from '../local/topology.ts';
import { startCountingFronts } from './counting-front.ts';
import { type Deployment, startDeployment, withVariables } from './deployment.ts';
import type { Tick } from './tick.ts';

const SLOT = '2026-01-01T00:00:00Z';
/** Most items of one BatchWriteItem. */
const BATCH = 25;
const { dueShards } = findStage('prod');
const enqueued = z.object({ [METRICS.jobsEnqueued]: z.number() });
/** About what a user's row has, a sealed secret too. */
const SPEC = {
  v: 1,
  schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
  destinations: {
    nas: {
      type: 'webdav',
      settings: {
        WEBDAV_URL: 'https://nas.example.org/remote.php/dav/files/somebody/',
        WEBDAV_PATH: 'backups/panel',
        WEBDAV_USERNAME: 'somebody',
        WEBDAV_PASSWORD: { sealed: 'c2VhbGVk'.repeat(64) },
      },
    },
  },
};

/** Measures one tick for each number of due users, by a function that has handled a tick before. */
export async function measureTicks(
  numbers: readonly number[],
  scratch: string,
  say: (line: string) => void,
): Promise<Tick[]> {
  await using deployment = await startDeployment(scratch);
  await using fronts = await startCountingFronts(deployment.endpoints);
  const { services, topology } = deployment;
  await writePolicy({ dynamodb: services.dynamodb, name: topology.output('SettingsTable') });
  const ticks: Tick[] = [];
  for (const users of numbers) {
    const measured = await runTick(deployment, users, {});
    fronts.take();
    await runTick(deployment, users, endpointVariables(fronts.endpoints), () => fronts.take());
    const { memoryMiB: memoryMb } = deployment.functionOf('enqueue-due');
    ticks.push({ users, memoryMb, ...measured, requests: [...fronts.take()] });
    const perSecond = Math.round((measured.handled / measured.ms) * 1000);
    say(`${users} users: ${measured.handled} in ${measured.ms} ms, ${perSecond} a second`);
  }
  return ticks;
}

/** @param ready called before the tick that is meant */
async function runTick(
  deployment: Deployment,
  users: number,
  variables: Readonly<Record<string, string>>,
  ready = () => {},
) {
  const reports: PlatformReport['record']['metrics'][] = [];
  let handled = 0;
  const own = { DUE_SHARDS: `${dueShards}`, ...variables };
  const worker = new LambdaProcess(
    withVariables(deployment.functionOf('enqueue-due'), own),
    (line) => {
      const entry = parseLine(line);
      const report = platformReport.safeParse(entry).data;
      if (report) reports.push(report.record.metrics);
      handled += enqueued.safeParse(entry).data?.[METRICS.jobsEnqueued] ?? 0;
    },
    deployment.worker,
  );
  try {
    const event = () => ({ scheduledTime: new Date().toISOString() });
    await worker.invoke(event());
    await makeDue(deployment, users);
    ready();
    await worker.invoke(event());
    const [first, second] = reports;
    if (!first || !second) throw new Error('The tick has not reported.');
    return {
      ms: second.durationMs,
      cpuMs: second.cpuMs - first.cpuMs,
      peakRssMiB: second.maxMemoryUsedMB,
      handled,
    };
  } finally {
    await worker.stop();
  }
}

/** Writes the rows of so many users, all checked, and due at the same slot. */
async function makeDue({ services, topology }: Deployment, users: number): Promise<void> {
  const documents = DynamoDBDocumentClient.from(services.dynamodb);
  const table = topology.output('SettingsTable');
  const status = { v: 1, state: 'valid', problems: [], specHash: hashContent(SPEC) };
  const items = Array.from({ length: users }, (_, n) => {
    const userId = `user-${n}@example.org`;
    return { userId, spec: SPEC, status, dueShard: shardOf(userId, dueShards), dueAt: SLOT };
  });
  for (let from = 0; from < users; from += BATCH) {
    const batch = items.slice(from, from + BATCH).map((Item) => ({ PutRequest: { Item } }));
    await documents.send(new BatchWriteCommand({ RequestItems: { [table]: batch } }));
  }
}
