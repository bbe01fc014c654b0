import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { PROJECT, synthesise } from '../local/cloud-assembly.ts';
import type { FunctionDefinition } from '../local/lambda-process.ts';
import { provision } from '../local/provisioning.ts';
import { type Services, startServices } from '../local/services.ts';
import { type Endpoints, readTopology, type Topology } from '../local/topology.ts';

/** Ferry as it is deployed as `prod`, on the embedded services. */
export interface Deployment extends AsyncDisposable {
  readonly services: Services;
  readonly topology: Topology;
  /** Where its functions find the services. */
  readonly endpoints: Endpoints;
  /** What runs in their processes. */
  readonly worker: URL;
  /**
   * A function by the folder of its code, with the log level that it has when deployed.
   * @throws Error where the templates have none of this name
   */
  functionOf(folder: string): FunctionDefinition;
}

/**
 * Synthesises Ferry, and starts and provisions the services.
 * @param elsewhere services that are not the embedded ones
 */
export async function startDeployment(
  scratch: string,
  elsewhere: Partial<Endpoints> = {},
): Promise<Deployment> {
  await using started = new AsyncDisposableStack();
  const services = started.use(await startServices());
  const assembly = await synthesise(join(scratch, 'cdk.out'), new AbortController().signal);
  const endpoints = { ...services.endpoints, ...elsewhere };
  const topology = readTopology(assembly, endpoints);
  await provision(topology, services);
  const worker = await compile('local/lambda-worker.ts', scratch);
  const running = started.move();
  return {
    services,
    topology,
    endpoints,
    worker,
    functionOf(folder) {
      const found = topology.functions.find(
        ({ environment }) => environment.POWERTOOLS_SERVICE_NAME === folder,
      );
      if (!found) throw new Error(`The templates have no function ${folder}.`);
      return withVariables(found, { AWS_LAMBDA_LOG_LEVEL: 'INFO' });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A function with more variables, or with others. */
export function withVariables(
  definition: FunctionDefinition,
  variables: Readonly<Record<string, string>>,
): FunctionDefinition {
  return { ...definition, environment: { ...definition.environment, ...variables } };
}

/**
 * A module as JavaScript: Node would need 20 MiB and 0.1 s to read TypeScript, which Lambda does not.
 * @param path from the repository's root
 */
export async function compile(path: string, scratch: string): Promise<URL> {
  const outfile = join(scratch, `${basename(path, '.ts')}.mjs`);
  await build({
    entryPoints: [join(PROJECT, path)],
    ...{ outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
  });
  return pathToFileURL(outfile);
}
