import { endpointVariables } from '../local/topology.ts';
import { takeArrived } from './arrived.ts';
import type { CountedRun } from './counted-run.ts';
import { startCountingFronts } from './counting-front.ts';
import { startMeasuredFerry } from './ferry.ts';
import { forEachPlace } from './places/all.ts';
import { sizeText } from './row.ts';
import { COMPONENT, filesOf, userOf } from './s3-source.ts';
import { startSource } from './source-process.ts';

export interface Load {
  /** Of each archive. */
  readonly sizeBytes: number;
  readonly archives: number;
}

const MIB = 1024 ** 2;
const FOLDER = 'bench/counted';

/** Delivers every load to the server of each type, and counts. */
export async function countRuns(
  types: readonly string[],
  loads: readonly Load[],
  scratch: string,
  say: (line: string) => void,
): Promise<CountedRun[]> {
  await using source = await startSource();
  await using ferry = await startMeasuredFerry(scratch, source.endpoint);
  await using fronts = await startCountingFronts(ferry.endpoints);
  const runs: CountedRun[] = [];
  await forEachPlace(types, scratch, async (place) => {
    const { server, type } = place;
    const environment = { ...place.environment, ...endpointVariables(fronts.endpoints) };
    const settings = place.settings({ port: place.address.port, proxyPort: 0 }, FOLDER);
    for (const { archives, sizeBytes } of loads) {
      const userId = userOf(sizeBytes, archives);
      const arrived = () =>
        takeArrived(place, `${FOLDER}/${COMPONENT}`, filesOf(archives), sizeBytes);
      const reset = async () => {
        await arrived();
        fronts.take();
      };
      await ferry.deliver({ userId, archives, type, settings, environment, reset });
      const requests = [...fronts.take()];
      await arrived();
      const run = { type, server, sizeMiB: sizeBytes / MIB, archives, requests };
      runs.push(run);
      const told = requests.map((one) => `${one.requests} ${one.service} ${one.operation}`);
      say(`${type} ${sizeText(run)}: ${told.join(', ')}`);
    }
  });
  return runs;
}
