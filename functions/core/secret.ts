import { inspect } from 'node:util';
import { rememberSecret } from './known-secrets.ts';

const REDACTED = '[secret]';

/**
 * A value that cannot be printed: string conversion, JSON and `util.inspect` all give `[secret]`.
 * `reveal()` is the only way to the text, so that every use of a secret can be found by its name.
 * What errors and logs tell is kept free of the text by `hideSecrets`.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    rememberSecret(text);
  }

  /** Whether the text cannot be read here; `reveal` then throws. */
  get isSealed(): boolean {
    return false;
  }

  /**
   * The text itself; for the call that needs it, never for a variable that outlives it.
   * @throws UnreadableSecret where it is sealed
   */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** A secret that is given, but sealed where only others can open it. */
export class SealedSecret extends Secret {
  constructor() {
    super('');
  }

  override get isSealed(): boolean {
    return true;
  }

  override reveal(): never {
    throw new UnreadableSecret();
  }
}

/** Somebody wanted to read a secret that is sealed: nothing can be said about its text here. */
export class UnreadableSecret extends Error {
  override readonly name = 'UnreadableSecret';
  constructor() {
    super('A sealed secret cannot be read here.');
  }
}
