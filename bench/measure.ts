import { loadavg } from 'node:os';
import { z } from 'zod';
import { startChildServer } from '../test/crash/places/child-server.ts';
import { settle, takeArrived } from './arrived.ts';
import type { FerryRun, MeasuredFerry } from './ferry.ts';
import type { Usage } from './measured-command.ts';
import type { Measurement } from './measurement.ts';
import type { Line, Place } from './place.ts';
import { drain } from './push.ts';
import { copyByRclone } from './rclone.ts';
import { BEST_FLAGS, MANY_FILES } from './rclone-flags.ts';
import { sizeText } from './row.ts';
import { COMPONENT, filesOf, userOf } from './s3-source.ts';

export interface MeasureOptions {
  readonly ferry: MeasuredFerry;
  readonly place: Place;
  readonly sourceEndpoint: string;
  /** Of each archive. */
  readonly sizeBytes: number;
  /** How many one run delivers. */
  readonly archives: number;
  /** Added to the way to the destination, in ms; 0 goes to the server directly. */
  readonly rttMs: number;
  readonly runs: number;
  readonly storage: Measurement['storage'];
  /** Told of each run. */
  readonly say: (line: string) => void;
}

const MIB = 1024 ** 2;
const WIRE = new URL('./processes/wire.ts', import.meta.url);
const lineSchema = z.object({ port: z.number(), proxyPort: z.number() });
/** A rate shows with this much; servers have limits for one request. */
const MOST_PUSHED = 1024 * MIB;
const FOLDER = 'bench';

/**
 * One size over one line, again and again: the limits, Ferry, and rclone in both ways, in an order that
 * turns, so that nobody always has what another left behind.
 */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { archives, place, rttMs, runs, sizeBytes, storage } = options;
  await using wire = await openLine(place, rttMs);
  const loadBefore = loadavg()[0] ?? 0;
  const ferry: FerryRun[] = [];
  const rclone = { defaults: [] as Usage[], best: [] as Usage[] };
  const pushMs: number[] = [];
  const sourceMs: number[] = [];
  const many = archives > 1 ? MANY_FILES : [];
  const bestFlags = [...(BEST_FLAGS[place.type] ?? []), ...many];
  const pushed = Math.min(archives * sizeBytes, MOST_PUSHED);
  const tools = toolsOf(options, wire.line);
  const steps = [
    async () => {
      sourceMs.push(await timed(() => tools.readSource(pushed)));
      pushMs.push(await tools.push(pushed));
    },
    async () => void ferry.push(await tools.deliver()),
    async () => void rclone.defaults.push(await tools.copy([])),
    async () => void rclone.best.push(await tools.copy(bestFlags)),
  ];
  for (let turn = 0; turn < runs; turn++) {
    for (let n = 0; n < steps.length; n++) await steps[(n + turn) % steps.length]?.();
    options.say(describeTurn(options, ferry.at(-1), rclone.defaults.at(-1), rclone.best.at(-1)));
  }
  return {
    type: place.type,
    server: place.server,
    sizeMiB: sizeBytes / MIB,
    archives,
    rttMs,
    storage,
    loadBefore,
    ferry: {
      warm: ferry.map(({ warm }) => warm),
      cold: ferry.map(({ cold }) => cold),
      startMs: ferry.map(({ startMs }) => startMs),
    },
    rclone: { ...rclone, bestFlags },
    limit: { pushMiB: pushed / MIB, pushMs, sourceMiB: pushed / MIB, sourceMs },
  };
}

/** The way to the server: itself, or over a wire of its own process. */
export async function openLine(place: Place, rttMs: number) {
  if (rttMs === 0 && !place.needsProxy) {
    const line: Line = { port: place.address.port, proxyPort: 0 };
    return { line, async [Symbol.asyncDispose]() {} };
  }
  const child = await startChildServer(WIRE, () => ({ to: place.address, rttMs }));
  return {
    line: lineSchema.parse(child.told),
    [Symbol.asyncDispose]: () => child.halt('SIGKILL'),
  };
}

/** What is done in each turn; nothing is under a name before, and nothing afterwards. */
function toolsOf(options: MeasureOptions, line: Line) {
  const { archives, ferry, place, sizeBytes, sourceEndpoint } = options;
  const userId = userOf(sizeBytes, archives);
  const files = filesOf(archives);
  const from = `${ferry.stagingBucket}/${userId}/${COMPONENT}`;
  const check = (folder: string) => takeArrived(place, folder, files, sizeBytes);
  return {
    async readSource(bytes: number) {
      const [file] = filesOf(1);
      await drain(`${sourceEndpoint}/${ferry.stagingBucket}/${userOf(bytes)}/${COMPONENT}/${file}`);
    },
    async push(bytes: number) {
      const path = `${FOLDER}/push/archive.tar`;
      const ms = await timed(() => place.push(line, path, bytes));
      await place.remove(path);
      await settle();
      return ms;
    },
    async deliver() {
      const folder = `${FOLDER}/ferry`;
      const reset = () => check(`${folder}/${COMPONENT}`);
      const { environment, type } = place;
      const settings = place.settings(line, folder);
      const given = { userId, archives, type, settings, environment, reset };
      const done = await ferry.deliver(given);
      await reset();
      return done;
    },
    async copy(flags: readonly string[]) {
      const to = `${FOLDER}/rclone`;
      const file = archives === 1 ? files[0] : undefined;
      const done = await copyByRclone({
        ...{ sourceEndpoint, from, file, to, flags },
        remote: place.rclone(line),
      });
      await check(to);
      return done;
    },
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function describeTurn(
  { archives, place, rttMs, sizeBytes }: MeasureOptions,
  ferry: FerryRun | undefined,
  ...rclone: readonly (Usage | undefined)[]
): string {
  const sizeMiB = sizeBytes / MIB;
  const rate = (usage: Usage | undefined) =>
    usage ? ((archives * sizeMiB) / (usage.ms / 1000)).toFixed(1) : '?';
  const others = rclone.map(rate).join(', with flags ');
  return `${place.type} ${sizeText({ archives, sizeMiB })}, ${rttMs} ms: Ferry ${rate(ferry?.warm)} MiB/s, rclone ${others}`;
}
