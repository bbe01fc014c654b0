import type { Server } from './server.ts';
import type { Strategies } from './strategy.ts';

/** The server of one open destination, and what was learnt about it. */
export interface Remote {
  readonly server: Server;
  readonly strategies: Strategies;
  /** How large a request may be; becomes smaller when one is refused, and stays so. In bytes. */
  readonly requests: { mostBytes: number };
  /** Called when the destination is closed: what is under way then is called off. */
  readonly atClose: Set<() => Promise<void>>;
}
