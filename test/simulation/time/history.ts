/** What happened in a world, for whoever looks into a violation. */
export interface History {
  /** Notes one thing; values are put into words only when somebody reads them. */
  note(who: string, what: string, ...details: readonly unknown[]): void;
  /** Processes that died. */
  readonly deaths: number;
  /** The last lines, oldest first. */
  lines(): readonly string[];
  /** A number over everything noted: two runs of one seed have the same. */
  fingerprint(): string;
}

interface Entry {
  readonly at: number;
  readonly who: string;
  readonly what: string;
  readonly details: readonly unknown[];
}

/** @param kept how many of the last lines are kept */
export function openHistory(now: () => number, kept: number): History {
  const ring: Entry[] = [];
  let noted = 0;
  let sum = 0;
  let deaths = 0;

  const write = ({ at, who, what, details }: Entry) => {
    const told = details.map((detail) =>
      typeof detail === 'string' ? detail : (JSON.stringify(detail) ?? 'undefined'),
    );
    return [new Date(at).toISOString().slice(5, 23), who.padEnd(14), what, ...told].join(' ');
  };

  return {
    note(who, what, ...details) {
      const entry = { at: now(), who, what, details };
      if (ring.length < kept) ring.push(entry);
      else ring[noted % kept] = entry;
      noted += 1;
      if (what === 'crashed' || what === 'timed out') deaths += 1;
      for (let at = 0; at < what.length; at++) sum = (Math.imul(sum, 31) + what.charCodeAt(at)) | 0;
      sum = (Math.imul(sum, 31) + (entry.at % 1_000_003)) | 0;
    },
    get deaths() {
      return deaths;
    },
    lines() {
      const from = noted <= kept ? 0 : noted % kept;
      return [...ring.slice(from), ...ring.slice(0, from)].map(write);
    },
    fingerprint: () => `${noted}:${(sum >>> 0).toString(16)}`,
  };
}
