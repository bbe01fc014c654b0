/**
 * The last line of defence: every text that was a `Secret` in this process, in the forms in which
 * client libraries and servers repeat it, taken out of what errors and logs tell. A process has the
 * secrets of a few jobs at a time, so that those used last are all that can turn up.
 */
const MOST = 200;
/** Shorter ones are parts of ordinary words. */
const SHORTEST = 4;
/** Lines of a key that are shorter are its frame. */
const SHORTEST_LINE = 24;
const HIDDEN = '[secret]';

const known = new Set<string>();
let pattern: RegExp | undefined;

/** Called by `Secret` alone. */
export function rememberSecret(text: string): void {
  if (text.trim().length < SHORTEST) return;
  // Put at the end again where it is known: the one used longest ago goes first.
  if (!known.delete(text)) pattern = undefined;
  known.add(text);
  const [oldest] = known;
  if (known.size <= MOST || oldest === undefined) return;
  known.delete(oldest);
}

/** The text without any secret that is known here, whatever form it is in. */
export function hideSecrets(text: string): string {
  if (known.size === 0) return text;
  pattern ??= new RegExp([...known].flatMap(formsOf).sort(longestFirst).join('|'), 'g');
  return text.replace(pattern, HIDDEN);
}

/** As patterns: plain, as JSON and URLs write it, in base64, and the single lines of a key. */
function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE);
  const forms = [...new Set([secret, secret.trim(), ...lines])].flatMap((text) => [
    literal(text),
    literal(JSON.stringify(text).slice(1, -1)),
    anyCase(literal(encodeURIComponent(text.toWellFormed()))),
    anyCase(literal(new URLSearchParams([['', text]]).toString().slice(1))),
    ...base64Of(text),
  ]);
  return [...new Set(forms)].filter((form) => form.length >= SHORTEST);
}

/**
 * What base64 makes of a text that follows 0, 1 or 2 bytes of a group of three, as a password follows
 * the user name: without the first characters, which those bytes have a part in, and whatever the
 * last ones are.
 */
function base64Of(text: string): string[] {
  return (['base64', 'base64url'] as const).flatMap((alphabet) =>
    [0, 1, 2].flatMap((before) => {
      const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
      const whole = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString(alphabet);
      const own = before === 0 ? whole : whole.slice(before + 1);
      return own.length < SHORTEST ? [] : [`${literal(own)}[\\w+/-]{0,3}={0,2}`];
    }),
  );
}

/** Percent signs are followed by capital letters here and small ones there. */
function anyCase(form: string): string {
  return form.replace(/%([0-9A-F]{2})/g, (code) => `(?:${code}|${code.toLowerCase()})`);
}

function longestFirst(a: string, b: string): number {
  return b.length - a.length;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
