/** The part of dynalite that we use; the package has no types of its own. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  // biome-ignore lint/style/noDefaultExport: it is how the package exports itself
  export default function dynalite(options: { createTableMs?: number }): Server;
}
