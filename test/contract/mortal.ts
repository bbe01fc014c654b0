/** When, counted in steps, a process dies, and whether the step under way still takes effect. */
export interface Death {
  readonly atStep: number;
  readonly when: 'before the effect' | 'after the effect';
}

/** A process that can be killed: from then on nothing it called ever answers. */
export interface Mortal {
  /** The same object; its asynchronous `calls`, and each item it yields, are steps of this process. */
  wrap<T extends object>(port: T, ...calls: (keyof T)[]): T;
  /** Resolves when the process dies. */
  readonly died: Promise<'died'>;
  readonly steps: () => number;
}

const FOREVER = new Promise<never>(() => {});

/**
 * A killed process runs no `catch` and no `finally`, so its calls stay unanswered instead of failing.
 */
export function mortal(death: Death | undefined): Mortal {
  const { promise: died, resolve } = Promise.withResolvers<'died'>();
  let steps = 0;
  let dead = false;

  const step = async <R>(effect: () => Promise<R>): Promise<R> => {
    if (dead) return FOREVER;
    steps += 1;
    const last = steps === death?.atStep;
    if (last && death?.when === 'before the effect') return die();
    const result = await effect();
    if (last) return die();
    return dead ? FOREVER : result;
  };
  const die = () => {
    dead = true;
    resolve('died');
    return FOREVER;
  };

  const wrap = <T extends object>(port: T, ...calls: (keyof T)[]): T =>
    new Proxy(port, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]) => {
          const call = () => Reflect.apply(member, target, given);
          if (calls.some((known) => known === name)) return step(async () => await call());
          const result: unknown = call();
          return isAsyncIterable(result) ? mortalItems(result) : result;
        };
      },
    });

  async function* mortalItems(items: AsyncIterable<unknown>): AsyncIterable<unknown> {
    const iterator = items[Symbol.asyncIterator]();
    for (;;) {
      const next = await step(() => iterator.next());
      if (next.done) return;
      yield next.value;
    }
  }
  return { wrap, died, steps: () => steps };
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
