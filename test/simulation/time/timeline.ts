/** What happens when, in a time that passes only from one event to the next. */
export interface Timeline {
  /** Epoch ms, whole. */
  now(): number;
  /** Lets something happen so many ms from now. */
  after(ms: number, happen: () => void): void;
  /** Events so far. */
  readonly events: number;
  /**
   * Lets things happen, one after the other, until `isOver` or until nothing is left. Everything that
   * code does in answer to an event has been done before the next.
   * @throws what an observer of the world threw
   */
  run(isOver: () => boolean): Promise<void>;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

export function openTimeline(start: number): Timeline {
  const heap: Event[] = [];
  let now = start;
  let order = 0;
  let events = 0;

  const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order);

  const add = (event: Event) => {
    let at = heap.length;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (!parent || isBefore(parent, event)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = event;
  };

  const take = (): Event | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = heap[childAt];
      const right = heap[childAt + 1];
      if (right && child && isBefore(right, child)) {
        child = right;
        childAt += 1;
      }
      if (!child || isBefore(last, child)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
    return first;
  };

  return {
    now: () => now,
    after(ms, happen) {
      add({ at: now + Math.max(0, Math.round(ms)), order: order++, happen });
    },
    get events() {
      return events;
    },
    async run(isOver) {
      while (!isOver()) {
        const event = take();
        if (!event) return;
        now = event.at;
        events += 1;
        event.happen();
        // Promises and streams are settled before the event loop comes round to this.
        await new Promise(setImmediate);
      }
    },
  };
}
