import { randomUUID } from 'node:crypto';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { writeMessage } from '../functions/queue/message.ts';
import { openRunsTable } from '../functions/runs/runs-table.ts';
import { findStage } from '../infra/stages.ts';
import { parseLine } from '../local/function-log.ts';
import { LambdaFunction } from '../local/lambda-function.ts';
import { type PlatformReport, platformReport } from '../local/lambda-messages.ts';
import { LambdaProcess } from '../local/lambda-process.ts';
import { writePolicy } from '../local/operator-policy.ts';
import type { Endpoints } from '../local/topology.ts';
import { startDeployment, withVariables } from './deployment.ts';
import { machineCpuMs, type Usage } from './measured-command.ts';

/** One job, delivered twice by one worker. */
export interface FerryRun {
  /** The second invocation: a worker that has delivered before, as nearly all have. */
  readonly warm: Usage;
  /** From the start of the process to the end of its first invocation. */
  readonly cold: Usage;
  /** Of that, until Node had started and loaded the bundle, in ms. */
  readonly startMs: number;
}

export interface Delivery {
  /** Whose archives they are. */
  readonly userId: string;
  /** How many there are. */
  readonly archives: number;
  readonly type: string;
  /** As a user writes them into the row. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Makes room for the second one; called between the two. */
  reset(): Promise<void>;
}

/** The transfer function as it is deployed. */
export interface MeasuredFerry extends AsyncDisposable {
  readonly stagingBucket: string;
  /** Where it finds what it runs on. */
  readonly endpoints: Endpoints;
  /** What Node is told of the function's process where it is deployed. */
  readonly nodeOptions: string;
  deliver(delivery: Delivery): Promise<FerryRun>;
}

const DESTINATION = 'place';
const keys = z.object({ pk: z.string(), sk: z.string() });

/**
 * Synthesises Ferry as for `prod`, and starts what its transfer function needs beside the staging bucket.
 * @param s3 endpoint of the server that archives are staged on
 */
export async function startMeasuredFerry(scratch: string, s3: string): Promise<MeasuredFerry> {
  await using started = new AsyncDisposableStack();
  const deployment = started.use(await startDeployment(scratch, { s3 }));
  const { endpoints, services, topology, worker: workerFile } = deployment;
  const documents = DynamoDBDocumentClient.from(services.dynamodb);
  const SettingsTable = topology.output('SettingsTable');
  const RunsTable = topology.output('RunsTable');
  const runs = openRunsTable(documents, RunsTable);
  await writePolicy({ dynamodb: services.dynamodb, name: SettingsTable });
  const { inFlightMib } = findStage('prod').transfer;
  const deployed = withVariables(deployment.functionOf('transfer'), {
    IN_FLIGHT_MIB: `${inFlightMib}`,
  });
  const settingsChanged = started.adopt(
    new LambdaFunction(deployment.functionOf('settings-changed')),
    (one) => one.stop(),
  );

  /** Writes a row as a person would, and has it looked at: its secrets are sealed then. */
  const configure = async (userId: string, type: string, settings: Delivery['settings']) => {
    const spec = {
      v: 1,
      schedule: { cron: '0 0 1 1 *' },
      destinations: { [DESTINATION]: { type, settings } },
    };
    await documents.send(new PutCommand({ TableName: SettingsTable, Item: { userId, spec } }));
    const change = { Keys: { userId: { S: userId } }, SequenceNumber: '1' };
    await settingsChanged.invoke({ Records: [{ eventName: 'MODIFY', dynamodb: change }] });
  };

  /** What was delivered counts as never sent; what was found out about the server stays. */
  const forget = async (userId: string) => {
    const found = await documents.send(
      new QueryCommand({
        TableName: RunsTable,
        KeyConditionExpression: 'pk = :user',
        ExpressionAttributeValues: { ':user': `USER#${userId}` },
      }),
    );
    for (const item of found.Items ?? []) {
      const Key = keys.parse({ pk: item.pk, sk: item.sk });
      if (Key.sk.startsWith('FINDINGS#')) continue;
      await documents.send(new DeleteCommand({ TableName: RunsTable, Key }));
    }
  };

  const invoke = async (worker: LambdaProcess, userId: string, archives: number) => {
    const slot = new Date().toISOString();
    const job = { userId, slot, destination: DESTINATION, hop: 0 };
    const startedAt = performance.now();
    const cpuBefore = machineCpuMs();
    await worker.invoke({
      Records: [
        {
          messageId: randomUUID(),
          receiptHandle: 'none',
          body: writeMessage(job),
          attributes: { ApproximateReceiveCount: '1' },
        },
      ],
    });
    const ms = performance.now() - startedAt;
    const machineCpu = machineCpuMs() - cpuBefore;
    const record = await runs.job(job);
    if (record?.state !== 'succeeded' || record.archives !== archives) {
      throw new Error(`Ferry has not delivered: ${JSON.stringify(record?.errors ?? record)}`);
    }
    return { ms, machineCpuMs: machineCpu };
  };

  const running = started.move();
  return {
    stagingBucket: topology.output('StagingBucket'),
    endpoints,
    nodeOptions: deployed.environment.NODE_OPTIONS ?? '',
    async deliver({ userId, archives, type, settings, environment, reset }) {
      await configure(userId, type, settings);
      await forget(userId);
      const reports: PlatformReport['record']['metrics'][] = [];
      const startedAt = performance.now();
      const cpuBefore = machineCpuMs();
      const worker = new LambdaProcess(
        withVariables(deployed, environment ?? {}),
        (line) => {
          const report = platformReport.safeParse(parseLine(line)).data;
          if (report) reports.push(report.record.metrics);
        },
        workerFile,
      );
      try {
        await invoke(worker, userId, archives);
        const coldCpu = machineCpuMs() - cpuBefore;
        const coldMs = performance.now() - startedAt;
        await reset();
        await forget(userId);
        const warm = await invoke(worker, userId, archives);
        const [first, second] = reports;
        if (!first || !second) throw new Error('The worker has not reported.');
        const peakRssMiB = second.maxMemoryUsedMB;
        return {
          warm: { ...warm, cpuMs: second.cpuMs - first.cpuMs, peakRssMiB },
          cold: {
            ms: coldMs,
            cpuMs: first.cpuMs,
            peakRssMiB: first.maxMemoryUsedMB,
            machineCpuMs: coldCpu,
          },
          startMs: coldMs - first.durationMs,
        };
      } finally {
        await worker.stop();
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
