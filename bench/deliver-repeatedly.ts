import { takeArrived } from './arrived.ts';
import type { MeasuredFerry } from './ferry.ts';
import type { Line, Place } from './place.ts';
import { COMPONENT, filesOf, userOf } from './s3-source.ts';
import type { WarmDeliveries } from './warm-deliveries.ts';

const MIB = 1024 ** 2;

export interface Repeated {
  readonly place: Place;
  readonly line: Line;
  readonly rttMs: number;
  readonly sizeBytes: number;
  /** At the place; empty before and afterwards. */
  readonly folder: string;
  /** What the worker gets beside what the place asks for. */
  readonly environment: Readonly<Record<string, string>>;
  readonly runs: number;
}

/** Delivers one archive so often, and takes it away again each time. */
export async function deliverRepeatedly(
  ferry: MeasuredFerry,
  { environment: more, folder, line, place, rttMs, runs, sizeBytes }: Repeated,
): Promise<WarmDeliveries> {
  const { server, type } = place;
  const settings = place.settings(line, folder);
  const environment = { ...place.environment, ...more };
  const reset = () => takeArrived(place, `${folder}/${COMPONENT}`, filesOf(1), sizeBytes);
  const userId = userOf(sizeBytes, 1);
  const ms: number[] = [];
  const peakRssMiB: number[] = [];
  for (let run = 0; run < runs; run++) {
    const delivery = { userId, archives: 1, type, settings, environment, reset };
    const { warm } = await ferry.deliver(delivery);
    ms.push(warm.ms);
    peakRssMiB.push(warm.peakRssMiB);
    await reset();
  }
  return { type, server, sizeMiB: sizeBytes / MIB, rttMs, ms, peakRssMiB };
}
