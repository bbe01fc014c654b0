import { z } from 'zod';
import { PRICES } from './prices.ts';
import { warmDeliveries } from './warm-deliveries.ts';

/** MB of a function that has one whole vCPU (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). */
export const ONE_VCPU = 1769;

/** What a function of so much memory has of a processor that it can use: one process of Node uses one. */
export function vcpusOf(memoryMb: number): number {
  return Math.min(1, memoryMb / ONE_VCPU);
}

/** USD for so many seconds of a function of so much memory. */
export function usdOfSeconds(seconds: number, memoryMb: number): number {
  return seconds * (memoryMb / 1024) * PRICES.lambda.usd;
}

/** Deliveries by a worker that has as much of a processor as a function of so much memory. */
export const functionMemory = warmDeliveries.extend({ memoryMb: z.number() });
export type FunctionMemory = z.output<typeof functionMemory>;
