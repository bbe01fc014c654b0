import { type Item, isMap, lookUp, type Placeholders, pathOf, tokenize } from './expression.ts';

/** DynamoDB's words where a path leads through something that is no map. */
export class InvalidPath extends Error {
  override readonly name = 'ValidationException';
  constructor() {
    super('The document path provided in the update expression is invalid for update');
  }
}

/**
 * Carries an update out on an item that may be changed: `SET a.b = :v, …`, `REMOVE …` and `ADD n :v`.
 * @throws InvalidPath, with the item as it was up to there
 */
export function update(expression: string, item: Item, given: Placeholders): void {
  const tokens = tokenize(expression).filter((token) => token !== ',');
  let section = '';
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token === 'SET' || token === 'REMOVE' || token === 'ADD') {
      section = token;
      continue;
    }
    const path = pathOf(token, given);
    if (section === 'REMOVE') {
      remove(item, path);
      continue;
    }
    if (section === 'SET' && tokens.shift() !== '=') throw new Error(`No "=" in "${expression}"`);
    const value = given.values[tokens.shift() ?? ''];
    if (section === 'SET') set(item, path, value);
    else set(item, path, Number(lookUp(item, path) ?? 0) + Number(value));
  }
}

function set(item: Item, path: readonly string[], value: unknown): void {
  const last = path.at(-1) ?? '';
  const parent = path.length === 1 ? item : lookUp(item, path.slice(0, -1));
  if (!isMap(parent)) throw new InvalidPath();
  parent[last] = value;
}

function remove(item: Item, path: readonly string[]): void {
  const parent = path.length === 1 ? item : lookUp(item, path.slice(0, -1));
  if (!isMap(parent)) throw new InvalidPath();
  delete parent[path.at(-1) ?? ''];
}
