import { z } from 'zod';

const milliseconds = z.array(z.number());

/** How a function starts: its bundle, loaded by Node in one process after the other. */
export const functionStart = z.object({
  /** The folder of its code. */
  name: z.string(),
  /** Of the bundle, without its source map. */
  bundleBytes: z.number().int().positive(),
  /** From the first line of the process to the end of the import, for each process. */
  importMs: milliseconds,
  /** CPU time of that, user and system. */
  importCpuMs: milliseconds,
  /** Resident memory afterwards, of each process. */
  rssMiB: z.array(z.number()),
  /** The same of a process that imports nothing. */
  emptyRssMiB: z.array(z.number()),
});
export type FunctionStart = z.output<typeof functionStart>;
