import { hideSecrets } from './known-secrets.ts';

/** Facts that drivers put beside name and message, and that whoever debugs looks for. */
const FACTS = ['code', 'status', 'statusCode', 'method', 'requestId', 'syscall'] as const;
/** Causes of causes that are kept. */
const DEEPEST = 4;
/** Errors of a bundle, such as one for each address of a host, that are kept. */
const MOST_ERRORS = 4;

/**
 * What is left of an error that somebody else made: name, message, stack and a few facts, with every
 * known secret taken out. Client libraries put requests, headers and whole configurations into theirs.
 */
export class Cause extends Error {
  override readonly name: string;

  constructor(name: string, message: string, cause: Cause | undefined) {
    super(message, cause && { cause });
    this.name = name;
  }
}

/** @returns undefined where there is no cause */
export function reduceCause(thrown: unknown, depth = 0): Cause | undefined {
  if (thrown === undefined || thrown === null || depth > DEEPEST) return undefined;
  if (typeof thrown !== 'object') {
    return withStack(new Cause('Thrown', hideSecrets(String(thrown)), undefined));
  }
  const errors = readFrom(thrown, 'errors');
  const bundled = Array.isArray(errors) ? errors.slice(0, MOST_ERRORS) : [];
  const messages = [textOf(thrown, 'message') ?? '', ...bundled.map(messageOf)];
  const cause = new Cause(
    textOf(thrown, 'name') ?? 'Thrown',
    messages.filter((message) => message !== '').join('; '),
    reduceCause(readFrom(thrown, 'cause'), depth + 1),
  );
  for (const name of FACTS) {
    const fact = readFrom(thrown, name);
    if (typeof fact === 'number') Object.assign(cause, { [name]: fact });
    if (typeof fact === 'string') Object.assign(cause, { [name]: hideSecrets(fact) });
  }
  return withStack(cause, textOf(thrown, 'stack'));
}

function messageOf(thrown: unknown): string {
  return reduceCause(thrown, DEEPEST)?.message ?? '';
}

function withStack(cause: Cause, stack = `${cause.name}: ${cause.message}`): Cause {
  cause.stack = stack;
  return cause;
}

function textOf(from: object, key: string): string | undefined {
  const value = readFrom(from, key);
  return typeof value === 'string' ? hideSecrets(value) : undefined;
}

/** Getters of libraries may throw. */
function readFrom(from: object, key: string): unknown {
  try {
    return Reflect.get(from, key);
  } catch {
    return undefined;
  }
}
