import { join } from 'node:path';
import { synthesise } from './cloud-assembly.ts';
import type { DeliveryLog } from './delivery-log.ts';
import { type Destinations, startDestinations } from './destinations.ts';
import { describeLine } from './function-log.ts';
import { CREDENTIALS, REGION } from './local-names.ts';
import { writePolicy } from './operator-policy.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { provision } from './provisioning.ts';
import { announce, deploymentOutputs } from './running-ferry.ts';
import { type Services, startServices } from './services.ts';
import { readTopology, type Topology } from './topology.ts';
import type { LocalUser } from './users.ts';

/** Ferry on this machine, with everything around it that it works with. */
export interface LocalFerry extends AsyncDisposable {
  readonly services: Services;
  readonly destinations: Destinations;
  readonly topology: Topology;
  readonly settingsTable: { readonly dynamodb: Services['dynamodb']; readonly name: string };
  readonly stagingBucket: string;
  readonly pipeline: Pipeline;
  readonly log: DeliveryLog;
}

export interface LocalFerryOptions {
  /** For whom the destinations have places. */
  readonly users: readonly LocalUser[];
  /** A folder for templates, bundles and what users get by SFTP. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  /** Told what is being done, and of trouble; one line each. */
  readonly say: (line: string) => void;
  /** Follows the transfers. */
  readonly log: DeliveryLog;
  /** What is to be other than the templates have it. */
  readonly adapt?: (topology: Topology, services: Services) => Promise<Topology>;
}

/**
 * Starts the embedded services and users' servers, synthesises the stacks, creates what they describe
 * and lets the functions in them work. Nobody ticks yet.
 */
export async function startLocalFerry(options: LocalFerryOptions): Promise<LocalFerry> {
  const { users, scratch, signal, say, log } = options;
  await using started = new AsyncDisposableStack();
  say("Starting DynamoDB, SQS, S3, an event bus and the users' servers on 127.0.0.1");
  const services = started.use(await startServices());
  const destinations = started.use(await startDestinations(users, join(scratch, 'destinations')));

  say('Synthesising the stacks and bundling the functions that are deployed');
  const assembly = await synthesise(join(scratch, 'cdk.out'), signal);
  const deployed = readTopology(assembly, services.endpoints);
  const topology = (await options.adapt?.(deployed, services)) ?? deployed;
  await provision(topology, services);
  const settingsTable = { dynamodb: services.dynamodb, name: topology.output('SettingsTable') };
  await writePolicy(settingsTable);
  services.bus.listen(({ type, detail: { userId, destination } }) => {
    say(`⚑ event "${type}"  ${[userId, destination].filter(Boolean).join(', ')}`);
  });

  const pipeline = started.use(
    startPipeline(topology, services, {
      onLog(line) {
        log.read(line, Date.now());
        const text = describeLine(line);
        if (text) say(text);
      },
      onError: (error) => say(`! ${error instanceof Error ? error.message : String(error)}`),
    }),
  );
  const running = started.move();
  return {
    services,
    destinations,
    topology,
    settingsTable,
    stagingBucket: topology.output('StagingBucket'),
    pipeline,
    log,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Lets the command line find this Ferry, until it is disposed of. */
export async function announceFerry(ferry: LocalFerry): Promise<AsyncDisposable> {
  const { pipeline, services, topology } = ferry;
  const { url: lambda } = await pipeline.serveInvoke();
  const names = Object.keys(deploymentOutputs.shape);
  const outputs = Object.fromEntries(names.map((name) => [name, topology.output(name)]));
  return announce({
    region: REGION,
    // The SDK notes more in what it is given.
    credentials: {
      accessKeyId: CREDENTIALS.accessKeyId,
      secretAccessKey: CREDENTIALS.secretAccessKey,
    },
    endpoints: { ...services.endpoints, lambda },
    outputs: deploymentOutputs.parse(outputs),
  });
}
