import { execFile } from 'node:child_process';
import { loadavg } from 'node:os';
import { promisify } from 'node:util';
import { z } from 'zod';
import { startChildServer } from '../test/crash/places/child-server.ts';
import type { FerryRun, MeasuredFerry } from './ferry.ts';
import type { Usage } from './measured-command.ts';
import type { Measurement } from './measurement.ts';
import type { Line, Place } from './place.ts';
import { drain } from './push.ts';
import { copyByRclone } from './rclone.ts';
import { BEST_FLAGS } from './rclone-flags.ts';
import { ARCHIVE, userOf } from './s3-source.ts';

export interface MeasureOptions {
  readonly ferry: MeasuredFerry;
  readonly place: Place;
  readonly sourceEndpoint: string;
  readonly sizeBytes: number;
  /** Added to the way to the destination, in ms; 0 goes to the server directly. */
  readonly rttMs: number;
  readonly runs: number;
  /** Told of each run. */
  readonly say: (line: string) => void;
}

const MIB = 1024 ** 2;
const WIRE = new URL('./processes/wire.ts', import.meta.url);
const lineSchema = z.object({ port: z.number(), proxyPort: z.number() });
/** A rate shows with this much; servers have limits for one request. */
const MOST_PUSHED = 1024 * MIB;
const FOLDER = 'bench';
const run = promisify(execFile);

/**
 * One size over one line, again and again: the limits, Ferry, and rclone in both ways, in an order that
 * turns, so that nobody always has what another left behind.
 */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { place, rttMs, runs, sizeBytes } = options;
  await using wire = await openLine(place, rttMs);
  const loadBefore = loadavg()[0] ?? 0;
  const ferry: FerryRun[] = [];
  const rclone = { defaults: [] as Usage[], best: [] as Usage[] };
  const pushMs: number[] = [];
  const sourceMs: number[] = [];
  const bestFlags = BEST_FLAGS[place.type] ?? [];
  const pushed = Math.min(sizeBytes, MOST_PUSHED);
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
    rttMs,
    loadBefore,
    ferry: {
      warm: ferry.map(({ warm }) => warm),
      cold: ferry.map(({ cold }) => cold),
      startMs: ferry.map(({ startMs }) => startMs),
    },
    rclone: { ...rclone, bestFlags: [...bestFlags] },
    limit: { pushMiB: pushed / MIB, pushMs, sourceMiB: pushed / MIB, sourceMs },
  };
}

/** The way to the server: itself, or over a wire of its own process. */
async function openLine(place: Place, rttMs: number) {
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
function toolsOf({ ferry, place, sizeBytes, sourceEndpoint }: MeasureOptions, line: Line) {
  const userId = userOf(sizeBytes);
  const from = `${ferry.stagingBucket}/${userId}/${ARCHIVE}`;
  const check = async (path: string) => {
    const size = await place.sizeOf(path);
    if (size !== sizeBytes) throw new Error(`${path} has ${size} bytes of ${sizeBytes}.`);
    await clear(path);
  };
  const clear = async (path: string) => {
    await place.remove(path);
    // What is still to be written to a disk is not the next one's trouble.
    await run('sync');
  };
  return {
    async readSource(bytes: number) {
      await drain(`${sourceEndpoint}/${ferry.stagingBucket}/${userOf(bytes)}/${ARCHIVE}`);
    },
    async push(bytes: number) {
      const path = `${FOLDER}/push/archive.tar`;
      const ms = await timed(() => place.push(line, path, bytes));
      await clear(path);
      return ms;
    },
    async deliver() {
      const folder = `${FOLDER}/ferry`;
      const reset = () => check(`${folder}/${ARCHIVE}`);
      const { environment, type } = place;
      const settings = place.settings(line, folder);
      const done = await ferry.deliver({ userId, type, settings, environment, reset });
      await reset();
      return done;
    },
    async copy(flags: readonly string[]) {
      const to = `${FOLDER}/rclone/${ARCHIVE}`;
      const done = await copyByRclone({
        ...{ sourceEndpoint, from, to, flags },
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
  { place, rttMs, sizeBytes }: MeasureOptions,
  ferry: FerryRun | undefined,
  ...rclone: readonly (Usage | undefined)[]
): string {
  const rate = (usage: Usage | undefined) =>
    usage ? (sizeBytes / MIB / (usage.ms / 1000)).toFixed(1) : '?';
  const others = rclone.map(rate).join(', with flags ');
  return `${place.type} ${sizeBytes / MIB} MiB, ${rttMs} ms: Ferry ${rate(ferry?.warm)} MiB/s, rclone ${others}`;
}
