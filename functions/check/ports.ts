import type { UserRow } from '../core/user.ts';
import type { Destination } from '../destinations/contract.ts';

/** A destination as its row configures it, closed. */
export interface Openable<Surroundings> {
  readonly type: string;
  open(surroundings: Surroundings): Promise<Destination>;
}

export interface CheckTools<Surroundings> {
  readonly rows: { read(userId: string): Promise<UserRow<Openable<Surroundings>> | undefined> };
  /** What a destination may use beside its settings: the same as in a transfer. */
  surroundingsOf(place: {
    readonly userId: string;
    readonly destination: string;
  }): Surroundings | Promise<Surroundings>;
  /** Ends what has not answered by then. */
  deadline(): AbortSignal;
  readonly log: { info(message: string, fields: Record<string, unknown>): void };
}
