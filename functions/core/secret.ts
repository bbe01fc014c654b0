import { inspect } from 'node:util';

const REDACTED = '[secret]';

/**
 * A value that cannot be printed: string conversion, JSON and `util.inspect` all give `[secret]`.
 * `reveal()` is the only way to the text, so that every use of a secret can be found by its name.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself; for the call that needs it, never for a variable that outlives it. */
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
