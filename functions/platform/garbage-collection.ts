import { setFlagsFromString } from 'node:v8';

/** As V8 spells them; in NODE_OPTIONS Node does not take them. */
export const COLLECTION_FLAGS = [
  '--external-memory-accounted-in-global-limit',
  '--heap-growing-percent=100',
] as const;

/**
 * Makes V8 collect garbage neither too often nor too late for a worker that archives pass through.
 *
 * Whatever a socket receives is a buffer outside of V8's heap, however little of it is still in use, and
 * V8 collects all garbage each time that 64 MiB of them were taken. Counted as the heap is, in proportion
 * to what lives, those that live for a moment go with the nursery, which `--max-semi-space-size` keeps
 * small. It took half of the CPU time off a delivery by WebDAV.
 *
 * What a request leaves behind outlives the nursery, and V8 lets several times of what lives gather: up to
 * 60 MiB, over 8 GiB to S3. As much again as lives is collected about every 2 GiB, for some 12 ms.
 */
export function tuneCollection(): void {
  for (const flag of COLLECTION_FLAGS) setFlagsFromString(flag);
}
