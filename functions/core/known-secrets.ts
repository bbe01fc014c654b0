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
const NOTHING = /(?!)/g;

/** Kinds of characters; a text with two of them is no ordinary word. */
const KINDS = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/];
const SHORTEST_UNUSUAL = 8;
const SURELY_UNUSUAL = 20;

const known = new Set<string>();
let patterns: { readonly all: RegExp; readonly unusual: RegExp } | undefined;

/** Called by `Secret` alone. */
export function rememberSecret(text: string): void {
  if (text.trim().length < SHORTEST) return;
  // Put at the end again where it is known: the one used longest ago goes first.
  if (!known.delete(text)) patterns = undefined;
  known.add(text);
  const [oldest] = known;
  if (known.size > MOST && oldest !== undefined) known.delete(oldest);
}

/** The text without any secret that is known here, whatever form it is in: for what others wrote. */
export function hideSecrets(text: string): string {
  return text.replace(patternsNow().all, HIDDEN);
}

/**
 * As `hideSecrets`, but ordinary words stay: for sentences of our own, which have no secret in them.
 * Where somebody's password is "server", a gap in each of them would be a nuisance to everybody and
 * give the password away.
 */
export function hideUnusualSecrets(text: string): string {
  return text.replace(patternsNow().unusual, HIDDEN);
}

function patternsNow() {
  patterns ??= {
    all: patternOf([...known]),
    unusual: patternOf([...known].filter(isUnusual)),
  };
  return patterns;
}

function patternOf(secrets: readonly string[]): RegExp {
  const forms = secrets.flatMap(formsOf).sort(longestFirst);
  return forms.length === 0 ? NOTHING : new RegExp(forms.join('|'), 'g');
}

function isUnusual(secret: string): boolean {
  const kinds = KINDS.filter((kind) => kind.test(secret)).length;
  return secret.length >= (kinds > 1 ? SHORTEST_UNUSUAL : SURELY_UNUSUAL);
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
