declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** How long a new table stays in CREATING, in ms. */
    createTableMs?: number;
  }

  /** An HTTP server that answers as DynamoDB does. */
  function dynalite(options?: DynaliteOptions): Server;
  export = dynalite;
}
