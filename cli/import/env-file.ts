/** One variable of an environment file. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
  /** Whether somebody may expect a `$NAME` in it to stand for something else. */
  readonly mayExpand: boolean;
}

/** A line that is no variable; its text may be a secret and is not told. */
export interface Unreadable {
  readonly line: number;
  readonly why: string;
}

export interface EnvFile {
  /** In their order; a name that stands there twice is there twice. */
  readonly variables: readonly Variable[];
  readonly unreadable: readonly Unreadable[];
}

/** Escapes within double quotes; any other character behind a backslash keeps it. */
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  $: '$',
};

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*/;

/**
 * Reads an environment file as Docker Compose and shells do where they agree: `export`, comments,
 * values in single quotes (as they are) or double quotes (with escapes), over several lines where
 * quoted. A `#` begins a comment at the line's start or behind a space only: `util.parseEnv` and
 * dotenv cut an unquoted value at any `#`, and a password with it would come over shortened.
 */
export function readEnvFile(text: string): EnvFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const variables: Variable[] = [];
  const unreadable: Unreadable[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const number = at + 1;
    if (/^[ \t]*(#|$)/.test(line)) continue;
    const [assignment, name] = ASSIGNMENT.exec(line) ?? [];
    if (assignment === undefined || name === undefined) {
      unreadable.push({ line: number, why: 'This line is not NAME=value.' });
      continue;
    }
    const rest = line.slice(assignment.length);
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      const value = rest.replace(/(^|[ \t])#.*$/, '').trim();
      variables.push({ name, value, line: number, mayExpand: hasReference(value) });
      continue;
    }
    const quoted = readQuoted(quote, [rest.slice(1), ...lines.slice(at + 1)].join('\n'));
    if (!quoted) {
      unreadable.push({ line: number, why: `The quote that ${name} begins with is not closed.` });
      continue;
    }
    const [tail = ''] = quoted.behind.split('\n');
    if (!/^[ \t]*(#.*)?$/.test(tail)) {
      unreadable.push({ line: number, why: `There is something behind the quotes of ${name}.` });
    } else {
      const { value, mayExpand } = quoted;
      variables.push({ name, value, line: number, mayExpand });
    }
    at += quoted.lines;
  }
  return { variables, unreadable };
}

interface Quoted {
  readonly value: string;
  readonly mayExpand: boolean;
  /** What follows the closing quote. */
  readonly behind: string;
  /** How many line ends are within the quotes. */
  readonly lines: number;
}

function readQuoted(quote: '"' | "'", text: string): Quoted | undefined {
  let value = '';
  let lines = 0;
  let mayExpand = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === quote) return { value, mayExpand, behind: text.slice(at + 1), lines };
    if (character === '\n') lines += 1;
    if (quote === '"' && character === '\\') {
      const next = text[at + 1] ?? '';
      const meant = ESCAPES[next];
      if (meant !== undefined) {
        value += meant;
        at += 1;
        continue;
      }
    }
    if (quote === '"' && hasReference(text.slice(at, at + 3))) mayExpand = true;
    value += character;
  }
  return undefined;
}

function hasReference(text: string): boolean {
  return /\$(\{?[A-Za-z_])/.test(text);
}
