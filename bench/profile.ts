import { z } from 'zod';

/** What the main thread of a worker did, each in ms for one archive. */
export const profile = z.object({
  type: z.string(),
  server: z.string(),
  sizeMiB: z.number(),
  hashing: z.number(),
  encryption: z.number(),
  sockets: z.number(),
  garbage: z.number(),
  node: z.number(),
  bundle: z.number(),
  idle: z.number(),
});
export type Profile = z.output<typeof profile>;

/** Where a moment of the main thread is counted. */
export type Doing = Exclude<keyof Profile, 'type' | 'server' | 'sizeMiB'>;

/** https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export const v8Profile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
      children: z.array(z.number()).default([]),
    }),
  ),
  samples: z.array(z.number()),
  /** Microseconds before each sample. */
  timeDeltas: z.array(z.number()),
});
type V8Profile = z.output<typeof v8Profile>;
type Frame = V8Profile['nodes'][number]['callFrame'];

/** Node's modules whose calls into C++ are of one kind. */
const NATIVE: readonly (readonly [caller: RegExp, Doing])[] = [
  [/^node:(internal\/crypto\/hash|zlib)$/, 'hashing'],
  [/^node:internal\/crypto\/cipher$/, 'encryption'],
  [/^node:(_http|_tls|net|internal\/stream_base)/, 'sockets'],
];

/** Sums up by what was done at the moment of each sample, in ms. */
export function sumUp({ nodes, samples, timeDeltas }: V8Profile): Record<Doing, number> {
  const frames = new Map(nodes.map(({ callFrame, id }) => [id, callFrame]));
  const callers = new Map(
    nodes.flatMap(({ callFrame, children }) => children.map((child) => [child, callFrame])),
  );
  const sums = {
    ...{ hashing: 0, encryption: 0, sockets: 0, garbage: 0, node: 0, bundle: 0, idle: 0 },
  };
  for (const [at, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame) sums[doingOf(frame, callers.get(id))] += (timeDeltas[at] ?? 0) / 1000;
  }
  return sums;
}

function doingOf({ functionName, url }: Frame, caller: Frame | undefined): Doing {
  if (functionName === '(idle)') return 'idle';
  if (functionName === '(garbage collector)') return 'garbage';
  if (url.startsWith('node:')) return 'node';
  if (url !== '') return 'bundle';
  return NATIVE.find(([module]) => module.test(caller?.url ?? ''))?.[1] ?? 'node';
}
