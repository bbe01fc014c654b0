import type { Nature } from '../cloud/environment.ts';
import type { StagingBucket } from '../cloud/staging-bucket.ts';

/** The hosting panel, which stages archives, replaces and removes them. */
export interface Panel {
  /** Stages a new archive. */
  stage(userId: string): void;
  /** Does something to an archive, or stages another one. */
  meddle(userId: string): void;
}

const COMPONENTS = ['html', 'mail', 'mysql'] as const;
const MOST_PARTS = 14;
const DAMAGED = 0.04;
const WITHOUT_CHECKSUM = 0.3;

/** @param part bytes of a part at most destinations */
export function openPanel({ random }: Nature, staging: StagingBucket, part: number): Panel {
  let archives = 0;

  const size = () => {
    const kind = random.next();
    if (kind < 0.04) return 0;
    if (kind < 0.3) return random.between(1, part);
    if (kind < 0.45) return part * random.between(1, 4) + random.between(-1, 1);
    return random.between(part + 1, part * MOST_PARTS);
  };
  const content = (bytes: number) => {
    const buffer = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at++) {
      buffer[at] = at % 8 === 0 ? random.between(0, 255) : (buffer[at - 1] ?? 0) * 5 + at;
    }
    return buffer;
  };
  const put = (key: string, bytes: Buffer) => {
    const stored = random.chance(WITHOUT_CHECKSUM) ? 'nothing' : 'crc32';
    staging.put(key, bytes, { stored, damaged: stored === 'crc32' && random.chance(DAMAGED) });
  };
  const stage = (userId: string) => {
    archives += 1;
    put(`${userId}/${random.pick(COMPONENTS)}/archive-${archives}.tar`, content(size()));
  };

  return {
    stage,
    meddle(userId) {
      const keys = [...staging.current.keys()].filter((key) => key.startsWith(`${userId}/`));
      const [first, ...others] = keys;
      const what = random.next();
      if (first === undefined || what < 0.25) return stage(userId);
      const key = random.pick([first, ...others]);
      if (what < 0.4) return staging.delete(key);
      const versions = staging.history(key);
      const [oldest] = versions;
      const older = what < 0.5 && versions.length > 1 ? oldest?.bytes : undefined;
      const length = staging.current.get(key)?.bytes.length ?? 0;
      put(key, older ?? content(random.chance(0.5) ? length : size()));
    },
  };
}
