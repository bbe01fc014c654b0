import type { Invocation, Nature } from '../cloud/environment.ts';
import type { Write } from '../cloud/tables.ts';
import type { Publication } from '../destinations/server.ts';
import type { Leniency } from './deliveries.ts';
import { readKey } from './runs-key.ts';

/** Judges who may write where. */
export interface Leases {
  written(write: Write): void;
  /** An item of the runs table was read. */
  read(key: string, by: Invocation): void;
  /** A part of a file was sent. */
  sent(path: string, by: Invocation): void;
  /** A file is about to be published. */
  publishes(place: string, path: string, by: Invocation): void;
  published(place: string, publication: Publication): void;
  /** Whether the newest holder of a lease has died with it. */
  isOrphaned(place: string): boolean;
}

interface Holding {
  readonly fence: number;
  readonly by: Invocation | undefined;
  readonly since: number;
  isReleased: boolean;
}

/** A request that was sent while its sender had the lease has arrived by then, in ms. */
const UNDER_WAY_MS = 60_000;

export function judgeLeases({ judge, timeline }: Nature, { wildClocks }: Leniency): Leases {
  const holdings = new Map<string, Holding>();
  /** Who has looked at the lease, and the files of which parts were sent since. */
  const looked = new Map<Invocation, Set<string>>();

  const leaseWritten = (place: string, { before, after, by }: Write) => {
    const fence = Number(after?.fence);
    const holding = holdings.get(place);
    if (after?.until === 0) {
      if (holding?.fence === fence) holding.isReleased = true;
      return;
    }
    if (before && fence <= Number(before.fence)) {
      judge.violate('fences grow', `the lease on ${place} went from ${before.fence} to ${fence}`);
    }
    const isTaken = holding && !holding.isReleased && holding.by?.state === 'running';
    if (isTaken && holding.by !== by && !wildClocks) {
      judge.violate(
        'one holder of a lease',
        `${by?.name} got ${place} while ${holding.by?.name} had it`,
      );
    }
    holdings.set(place, { fence, by, since: timeline.now(), isReleased: false });
  };

  return {
    written(write) {
      const { kind, place } = readKey(write.key);
      if (kind === 'LEASE') return leaseWritten(place, write);
      const [earlier, later] = [write.before?.fence, write.after?.fence];
      if (earlier !== undefined && later !== undefined && Number(later) < Number(earlier)) {
        judge.violate('fences grow', `${write.key} went from fence ${earlier} to ${later}`);
      }
    },

    read(key, by) {
      if (readKey(key).kind === 'LEASE') looked.set(by, new Set());
    },
    sent: (path, by) => void looked.get(by)?.add(path),
    publishes(place, path, by) {
      if (looked.get(by)?.has(path) === false) return;
      judge.violate(
        'the lease is looked at before anything is published',
        `${by.name} publishes ${path} at ${place} without another look`,
      );
    },

    published(place, { path, by }) {
      const holding = holdings.get(place);
      if (!holding || holding.by === by) return;
      const seconds = Math.round((timeline.now() - holding.since) / 1000);
      if (timeline.now() - holding.since < UNDER_WAY_MS) return;
      judge.violate(
        'only the holder of the lease publishes',
        `${by.name} published ${path} at ${place} although ${holding.by?.name} took over ${seconds} s before`,
      );
    },

    isOrphaned(place) {
      const holding = holdings.get(place);
      const state = holding?.by?.state;
      return holding?.isReleased === false && (state === 'crashed' || state === 'timed out');
    },
  };
}
