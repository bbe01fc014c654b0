/** What an item holds. */
export type Item = Record<string, unknown>;

/** Names and values that stand for placeholders of an expression. */
export interface Placeholders {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
}

const TOKEN = /\s*([A-Za-z_]+\(|[#:A-Za-z_][\w.#]*|<=|>=|<>|[=<>(),])/y;

/** The words of an expression; a function keeps its parenthesis. */
export function tokenize(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(expression)?.[1];
    if (token === undefined) throw new Error(`Not understood: "${expression.slice(at)}"`);
    tokens.push(token);
  }
  return tokens;
}

/** The names along a document path such as `#s.#d.lastRun`. */
export function pathOf(token: string, { names }: Placeholders): string[] {
  return token.split('.').map((step) => {
    const name = step.startsWith('#') ? names[step] : step;
    if (name === undefined) throw new Error(`Nothing stands for ${step}`);
    return name;
  });
}

export function lookUp(item: Item | undefined, path: readonly string[]): unknown {
  let found: unknown = item;
  for (const step of path) found = isMap(found) ? found[step] : undefined;
  return found;
}

export function isMap(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a condition holds, as far as Ferry's conditions go: comparisons, AND, OR, NOT, parentheses and
 * four functions. Comparing with an attribute that is not there gives false, as in DynamoDB.
 */
export function holds(expression: string, item: Item | undefined, given: Placeholders): boolean {
  const tokens = tokenize(expression);
  const take = (expected?: string): string => {
    const token = tokens.shift();
    if (token === undefined || (expected !== undefined && token !== expected)) {
      throw new Error(`"${expression}" does not go on with ${expected}`);
    }
    return token;
  };
  const value = (token: string): unknown =>
    token.startsWith(':') ? given.values[token] : lookUp(item, pathOf(token, given));

  const either = (): boolean => {
    let result = both();
    while (tokens[0] === 'OR') {
      take();
      const other = both();
      result ||= other;
    }
    return result;
  };
  const both = (): boolean => {
    let result = not();
    while (tokens[0] === 'AND') {
      take();
      const other = not();
      result &&= other;
    }
    return result;
  };
  const not = (): boolean => {
    if (tokens[0] !== 'NOT') return single();
    take();
    return !not();
  };
  const single = (): boolean => {
    const token = take();
    if (token === '(') {
      const result = either();
      take(')');
      return result;
    }
    if (!token.endsWith('(')) return compare(value(token), take(), value(take()));
    const first = value(take());
    const hasSecond = take() === ',';
    const second = hasSecond ? value(take()) : undefined;
    if (hasSecond) take(')');
    return call(token, first, second);
  };

  const result = either();
  if (tokens.length > 0) throw new Error(`"${expression}" has more than is understood`);
  return result;
}

function call(name: string, first: unknown, second: unknown): boolean {
  switch (name) {
    case 'attribute_exists(':
      return first !== undefined;
    case 'attribute_not_exists(':
      return first === undefined;
    case 'attribute_type(':
      return second === 'M' ? isMap(first) : second === 'S' && typeof first === 'string';
    case 'begins_with(':
      return typeof first === 'string' && typeof second === 'string' && first.startsWith(second);
    default:
      throw new Error(`There is no function ${name})`);
  }
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  if (left === undefined || right === undefined) return false;
  if (operator === '=') return left === right;
  const comparable =
    (typeof left === 'number' && typeof right === 'number') ||
    (typeof left === 'string' && typeof right === 'string');
  if (!comparable) return false;
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      throw new Error(`There is no comparison ${operator}`);
  }
}
