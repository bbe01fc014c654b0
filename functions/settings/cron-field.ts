/** One of the five fields of a cron expression. */
export interface CronField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Words for the values from `min` on, in any case. One that comes twice may end a range both times. */
  readonly words?: readonly string[];
  /** Whether `?` may stand for `*`. */
  readonly question?: boolean;
}

/** What is wrong with a field, as a problem and a remedy. */
export class FieldTrouble extends Error {
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(problem);
    this.remedy = remedy;
  }
}

/**
 * The values that a field names, sorted: `*`, numbers and words, ranges, each with a step where
 * wanted (`10-40/5`; `5/15` goes on to the field's end), and lists of all of these.
 * @throws FieldTrouble
 */
export function readField(field: CronField, text: string): readonly number[] {
  const values = text.split(',').flatMap((item) => readItem(field, item));
  return [...new Set(values)].sort((a, b) => a - b);
}

function readItem(field: CronField, item: string): readonly number[] {
  const [span = '', stepText, ...rest] = item.split('/');
  if (rest.length > 0) throw unreadable(field, item);
  const step = stepText === undefined ? 1 : readStep(field, stepText);
  const [first, last] = readSpan(field, span, stepText !== undefined);
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, n) => first + n * step);
}

function readSpan(field: CronField, span: string, stepped: boolean): readonly [number, number] {
  const { min, max, name } = field;
  if (span === '*' || (span === '?' && field.question)) return [min, max];
  const [from = '', to, ...rest] = span.split('-');
  if (rest.length > 0) throw unreadable(field, span);
  const first = readValue(field, from);
  if (to === undefined) return [first, stepped ? max : first];
  const last = readValue(field, to);
  if (first <= last) return [first, last];
  const again = field.words?.lastIndexOf(to.toUpperCase()) ?? -1;
  if (min + again > first) return [first, min + again];
  throw new FieldTrouble(
    `The ${name} "${span}" runs backwards.`,
    'Write the smaller value first, or two ranges with a comma between them.',
  );
}

function readValue(field: CronField, text: string): number {
  const { min, max, name, words = [] } = field;
  const word = words.indexOf(text.toUpperCase());
  if (word >= 0) return min + word;
  if (!/^\d+$/.test(text)) throw unreadable(field, text);
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new FieldTrouble(
    `The ${name} ${text} does not exist.`,
    `Give a number from ${min} to ${max}.`,
  );
}

function readStep(field: CronField, text: string): number {
  const { min, max, name } = field;
  const step = /^\d+$/.test(text) ? Number(text) : 0;
  if (step >= 1 && step <= max - min) return step;
  throw new FieldTrouble(
    `The step "/${text}" does not fit the ${name}.`,
    `Give a step from 1 to ${max - min}; for other intervals there is @every, e.g. @every 36h.`,
  );
}

function unreadable(field: CronField, text: string): FieldTrouble {
  const words = field.words
    ? ` or a word from ${field.words[0]} to ${field.words[field.words.length - 1]}`
    : '';
  return new FieldTrouble(
    `The ${field.name} "${text}" cannot be read.`,
    `Write *, a number from ${field.min} to ${field.max}${words}, a range such as 1-5, or a list of these.`,
  );
}
