import { inspect } from 'node:util';

/** A secret that can be told from everything else, with characters that encodings change. */
export function mark(name: string): string {
  return `${name}"7/ä +&%\\${Math.random().toString(36).slice(2, 12)}`;
}

/** Where a mark shows in a text: the form that it has there, for each. */
export function formsIn(text: string, marks: readonly string[]): readonly string[] {
  return marks.flatMap((secret) =>
    Object.entries(formsOf(secret)).flatMap(([form, look]) =>
      look.some((spelling) => text.includes(spelling)) ? [`${secret} (${form})`] : [],
    ),
  );
}

function formsOf(secret: string): Readonly<Record<string, readonly string[]>> {
  const url = encodeURIComponent(secret);
  const form = new URLSearchParams({ '': secret }).toString().slice(1);
  return {
    plain: [secret],
    JSON: [
      JSON.stringify(secret).slice(1, -1),
      JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    ],
    URL: [url, url.toLowerCase(), form, encodeURI(secret), encodeURIComponent(url)],
    base64: (['base64', 'base64url'] as const).flatMap((alphabet) =>
      [0, 1, 2].map((before) => inner(secret, before, alphabet)),
    ),
    hex: [Buffer.from(secret).toString('hex')],
    bytes: [inspect(Buffer.from(secret)).slice('<Buffer '.length, -1)],
  };
}

/** What base64 makes of a text after so many other bytes, whatever these are, as in Basic authentication. */
function inner(text: string, before: number, alphabet: 'base64' | 'base64url'): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString(alphabet);
  return whole.slice(before === 0 ? 0 : before + 1);
}

/** Everything that can be got out of a value, causes and hidden properties included, as text. */
export function everythingIn(value: unknown): string {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  const look = (found: unknown) => {
    if (typeof found === 'string') texts.push(found);
    if ((typeof found !== 'object' && typeof found !== 'function') || found === null) return;
    if (seen.has(found)) return;
    seen.add(found);
    for (const key of Reflect.ownKeys(found)) {
      const property = Object.getOwnPropertyDescriptor(found, key);
      texts.push(String(key));
      if (property && 'value' in property) look(property.value);
    }
  };
  look(value);
  const limits = { maxArrayLength: 1000, maxStringLength: 100_000 };
  texts.push(inspect(value, { depth: 20, showHidden: true, getters: true, ...limits }));
  texts.push(JSON.stringify(value) ?? '', String(value));
  return texts.join('\n');
}
