import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { MiB, type PartPlan, partRange } from '../../functions/core/parts.ts';
import type {
  Capabilities,
  Destination,
  Json,
  RemoteFile,
  RemoteStat,
  Upload,
} from '../../functions/destinations/contract.ts';
import { digestOf, sampleBytes } from './sample.ts';
import type { Maybe, Subject } from './subject.ts';

const NEVER = new AbortController().signal;

/** Names that protocols, shells and URL encoders get wrong. */
const AWKWARD_NAMES = {
  spaces: ' two  spaces .tar',
  'a hash': 'a#b.tar',
  'percent signs': '100%25 %zz.tar',
  'a plus': 'a+b.tar',
  quotes: `it's "quoted" \`here\`.tar`,
  'shell words': '$(touch x);&|<>*?.tar',
  'a backslash': 'a\\b.tar',
  emoji: 'backup-🚢.tar',
  'composed letters (NFC)': 'caf\u00e9.tar',
  'decomposed letters (NFD)': 'cafe\u0301.tar',
  '200 characters': `${'n'.repeat(196)}.tar`,
  'a leading dash': '-rf.tar',
  'a leading dot': '.hidden.tar',
};

/**
 * Proves a driver: every type runs this against every server it claims to work with. `start` gives
 * one server with a fresh, empty place on it.
 */
export function conformance(name: string, start: () => Promise<Subject>): void {
  describe(`${name} keeps the destination contract`, () => {
    let subject: Subject;
    let destination: Destination;
    let capabilities: Capabilities;
    const opened: Destination[] = [];

    const track = async (opening: Promise<Destination>) => {
      const one = await opening;
      opened.push(one);
      return one;
    };
    const open = () => track(subject.open());

    beforeAll(async () => {
      subject = await start();
      destination = await open();
      capabilities = await destination.capabilities(NEVER);
    });
    afterAll(async () => {
      await Promise.allSettled(opened.map((one) => one.close()));
      await subject?.stop();
    });

    /** The smallest parts the driver allows, so that few bytes make several parts. */
    const partSize = () => Math.max(capabilities.part.min, 64 * 1024);
    const planOf = (size: number): PartPlan => ({
      size,
      partSize: partSize(),
      count: Math.ceil(size / partSize()),
    });
    const fileOf = (path: string, bytes: Buffer): RemoteFile => ({
      path,
      size: bytes.length,
      transferId: createHash('sha256').update(path).update(bytes).digest('hex').slice(0, 16),
    });
    const write = (upload: Upload, bytes: Buffer, number: number, signal = NEVER) => {
      const range = partRange(planOf(bytes.length), number);
      return upload.writePart(
        { ...range, bytes: bytes.subarray(range.offset, range.offset + range.length) },
        signal,
      );
    };
    const begin = (on: Destination, path: string, bytes: Buffer) =>
      on.begin(fileOf(path, bytes), planOf(bytes.length), NEVER);
    const deliver = async (on: Destination, path: string, bytes: Buffer) => {
      const upload = await begin(on, path, bytes);
      try {
        for (let n = 0; n < planOf(bytes.length).count; n++) await write(upload, bytes, n);
        return await upload.finish(digestOf(bytes), NEVER);
      } catch (error) {
        await upload.abort().catch(() => undefined);
        throw error;
      }
    };
    const stored = async (path: string) => {
      const bytes = await subject.readDirectly(path);
      return bytes && digestOf(bytes);
    };
    const failure = async (work: Promise<unknown>): Promise<FerryError> => {
      const thrown = await work.then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(FerryError);
      if (!(thrown instanceof FerryError)) throw thrown;
      for (const secret of subject.secrets) {
        expect(inspect(thrown, { depth: 8, showHidden: true })).not.toContain(secret);
        expect(JSON.stringify(thrown)).not.toContain(secret);
      }
      expect(thrown.message).toMatch(/[.!?]$/);
      return thrown;
    };
    /** Registers a case where the server allows it, and says so where it does not. */
    const where = <T>(
      title: string,
      ability: (subject: Subject) => Maybe<T>,
      run: (given: T) => Promise<void>,
    ) =>
      it(title, async ({ skip }) => {
        const given = ability(subject);
        if (typeof given === 'object' && given !== null && 'notHere' in given) {
          skip(given.notHere);
          return;
        }
        await run(given);
      });

    describe('delivers', () => {
      it.each([
        ['0 bytes', () => 0],
        ['1 byte', () => 1],
        ['one byte less than a part', () => partSize() - 1],
        ['exactly one part', () => partSize()],
        ['one byte more than a part', () => partSize() + 1],
        ['exactly three parts', () => 3 * partSize()],
        ['three parts and a bit', () => 3 * partSize() + 4097],
      ])('%s', async (title, size) => {
        const bytes = sampleBytes(size(), title);
        const path = `sizes/${title}.bin`;
        const proof = await deliver(destination, path, bytes);
        expect(await stored(path)).toEqual(digestOf(bytes));
        expect(proof.size).toBe(bytes.length);
        expect(proof.remotePath).toContain(path);
        const strength = { size: 0, readback: 1, checksum: 2 };
        expect(strength[proof.verified]).toBeGreaterThanOrEqual(strength[capabilities.proof]);
        expect(await destination.stat(path, NEVER)).toMatchObject({ path, size: bytes.length });
      });

      it('parts under way at the same time', async () => {
        const bytes = sampleBytes(5 * partSize() + 11, 'parallel');
        const upload = await begin(destination, 'parallel.bin', bytes);
        const numbers = [0, 1, 2, 3, 4, 5];
        if (capabilities.writes === 'whole') {
          for (const n of numbers) await write(upload, bytes, n);
        } else {
          if (capabilities.writes === 'any-order') numbers.reverse();
          await Promise.all(numbers.map((n) => write(upload, bytes, n)));
        }
        await upload.finish(digestOf(bytes), NEVER);
        expect(await stored('parallel.bin')).toEqual(digestOf(bytes));
      });

      it('parts that are promised, in memory that is written over as soon as it is free', async () => {
        const bytes = sampleBytes(5 * partSize() + 11, 'promised parts');
        const plan = planOf(bytes.length);
        const upload = await begin(destination, 'promised parts.bin', bytes);
        const arrivals: Promise<void>[] = [];
        for (let number = 0; number < plan.count; number++) {
          const range = partRange(plan, number);
          const part = Buffer.from(bytes.subarray(range.offset, range.offset + range.length));
          const { promise: released, resolve: free } = Promise.withResolvers<void>();
          const release = () => {
            part.fill(0xee);
            free();
          };
          const span = { following: plan.count - 1 - number, release };
          arrivals.push(upload.writePart({ ...range, bytes: part }, NEVER, span));
          await Promise.race([released, arrivals[number]]);
        }
        await Promise.all(arrivals);
        await upload.finish(digestOf(bytes), NEVER);
        expect(await stored('promised parts.bin')).toEqual(digestOf(bytes));
      });

      it('small files beside each other, into folders that do not exist yet', async () => {
        const files = Array.from({ length: 16 }, (_, n) => ({
          path: `beside/${n % 3}/deep/${n}.bin`,
          bytes: sampleBytes(n === 5 ? 0 : 1000 + n, `beside ${n}`),
        }));
        await Promise.all(files.map(({ path, bytes }) => deliver(destination, path, bytes)));
        for (const { path, bytes } of files) expect(await stored(path)).toEqual(digestOf(bytes));
      });

      it('into folders that do not exist yet, also twice at once', async () => {
        const [one, two] = [sampleBytes(10, 'one'), sampleBytes(20, 'two')];
        await Promise.all([
          deliver(destination, 'new/deep/folder/one.bin', one),
          deliver(await open(), 'new/deep/folder/two.bin', two),
        ]);
        expect(await stored('new/deep/folder/one.bin')).toEqual(digestOf(one));
        expect(await stored('new/deep/folder/two.bin')).toEqual(digestOf(two));
      });

      for (const [title, file] of Object.entries(AWKWARD_NAMES)) {
        it(`a name with ${title}`, async ({ skip }) => {
          const bytes = sampleBytes(100, title);
          const refused = subject.refusesName?.(file);
          if (refused) {
            skip(refused.notHere);
            return;
          }
          const path = `awkward names/${file}`;
          await deliver(destination, path, bytes);
          expect(await stored(path)).toEqual(digestOf(bytes));
          expect(await collect(destination.list('awkward names', NEVER))).toContainEqual(
            expect.objectContaining({ path, size: 100 }),
          );
          expect(Buffer.concat(await collect(destination.read(path, NEVER)))).toEqual(bytes);
          await destination.remove(path, NEVER);
          expect(await stored(path)).toBeUndefined();
        });
      }
    });

    it('keeps names apart that differ in letter case alone, unless it says that it does not', async ({
      skip,
    }) => {
      if (capabilities.foldsCase) return skip('the server takes such names for one');
      const [small, capital] = [sampleBytes(10, 'small'), sampleBytes(20, 'capital')];
      await deliver(destination, 'letter case/site.tar', small);
      await deliver(destination, 'letter case/Site.tar', capital);
      expect(await stored('letter case/site.tar')).toEqual(digestOf(small));
      expect(await stored('letter case/Site.tar')).toEqual(digestOf(capital));
    });

    describe('never shows half a file', () => {
      it('under its name before it is finished, nor in its own lists', async () => {
        const bytes = sampleBytes(2 * partSize() + 1, 'hidden');
        const upload = await begin(destination, 'hidden/file.bin', bytes);
        for (const n of [0, 1, 2]) await write(upload, bytes, n);
        expect(await stored('hidden/file.bin')).toBeUndefined();
        expect(await destination.stat('hidden/file.bin', NEVER)).toBeUndefined();
        expect(await collect(destination.list('hidden', NEVER))).toEqual([]);
        await upload.abort();
      });

      it('when it replaces an older one: the old content stays until the new one is whole', async () => {
        const [older, newer] = [
          sampleBytes(999, 'older'),
          sampleBytes(2 * partSize() + 9, 'newer'),
        ];
        await deliver(destination, 'replaced.bin', older);
        const upload = await begin(destination, 'replaced.bin', newer);
        for (const n of [0, 1, 2]) {
          await write(upload, newer, n);
          expect(await stored('replaced.bin')).toEqual(digestOf(older));
        }
        await upload.finish(digestOf(newer), NEVER);
        expect(await stored('replaced.bin')).toEqual(digestOf(newer));
      });

      it('after abort, which leaves nothing behind and may be called again', async () => {
        const bytes = sampleBytes(2 * partSize(), 'aborted');
        const before = await subject.listDirectly();
        const upload = await begin(destination, 'aborted.bin', bytes);
        await write(upload, bytes, 0);
        await upload.abort();
        await upload.abort();
        expect(await subject.listDirectly()).toEqual(before);
      });

      it('when its content is not what was promised', async () => {
        const bytes = sampleBytes(partSize() + 5, 'promised');
        const upload = await begin(destination, 'promised.bin', bytes);
        await write(upload, bytes, 0);
        const error = await failure(upload.finish(digestOf(bytes), NEVER));
        expect(error.retry).not.toBe('never');
        expect(await stored('promised.bin')).toBeUndefined();
        await upload.abort();
      });
    });

    describe('goes on in another process', () => {
      const size = () => 3 * partSize() + 777;

      it.each([0, 1, 2, 3, 4])(
        'after %i parts were written and the process was lost',
        async (n) => {
          const bytes = sampleBytes(size(), `resume ${n}`);
          const path = `resumed/${n}.bin`;
          const first = await open();
          const upload = await begin(first, path, bytes);
          for (let part = 0; part < n; part++) await write(upload, bytes, part);
          const checkpoint = throughJson(await upload.checkpoint());
          await first.close();

          const second = await open();
          const resumed =
            checkpoint === undefined
              ? await begin(second, path, bytes)
              : await second.resume(fileOf(path, bytes), planOf(size()), checkpoint, NEVER);
          // What takes only whole files may have the whole, and wait for its name.
          const atWhole = n === 4 ? [0, 4] : [0];
          expect(capabilities.resume === 'parts' ? [n] : atWhole).toContain(resumed.held);
          for (let part = resumed.held; part < 4; part++) await write(resumed, bytes, part);
          await resumed.finish(digestOf(bytes), NEVER);
          expect(await stored(path)).toEqual(digestOf(bytes));
        },
      );

      it('with parts written after the last checkpoint, which are simply written again', async () => {
        const bytes = sampleBytes(size(), 'stale');
        const first = await open();
        const upload = await begin(first, 'stale.bin', bytes);
        await write(upload, bytes, 0);
        const checkpoint = throughJson(await upload.checkpoint());
        await write(upload, bytes, 1);
        await first.close();

        const second = await open();
        const resumed =
          checkpoint === undefined
            ? await begin(second, 'stale.bin', bytes)
            : await second.resume(fileOf('stale.bin', bytes), planOf(size()), checkpoint, NEVER);
        for (let part = resumed.held; part < 4; part++) await write(resumed, bytes, part);
        await resumed.finish(digestOf(bytes), NEVER);
        expect(await stored('stale.bin')).toEqual(digestOf(bytes));
      });

      it('when the answer to finish was lost: finish again finds its own work', async () => {
        const bytes = sampleBytes(size(), 'finished twice');
        const upload = await begin(destination, 'twice.bin', bytes);
        for (const n of [0, 1, 2, 3]) await write(upload, bytes, n);
        const checkpoint = throughJson(await upload.checkpoint());
        const proof = await upload.finish(digestOf(bytes), NEVER);
        expect(await upload.finish(digestOf(bytes), NEVER)).toMatchObject({ size: proof.size });
        if (checkpoint !== undefined) {
          const other = await open();
          const resumed = await other.resume(
            fileOf('twice.bin', bytes),
            planOf(size()),
            checkpoint,
            NEVER,
          );
          expect(resumed.held).toBe(4);
          expect(await resumed.finish(digestOf(bytes), NEVER)).toMatchObject({ size: proof.size });
        }
        expect(await stored('twice.bin')).toEqual(digestOf(bytes));
      });

      it('by starting again when the server lost what it held', async () => {
        const bytes = sampleBytes(size(), 'lost');
        const upload = await begin(destination, 'lost.bin', bytes);
        await write(upload, bytes, 0);
        const checkpoint = throughJson(await upload.checkpoint());
        await subject.loseUnfinished();
        const second = await open();
        if (checkpoint !== undefined) {
          const resuming = second.resume(
            fileOf('lost.bin', bytes),
            planOf(size()),
            checkpoint,
            NEVER,
          );
          expect(await failure(resuming)).toMatchObject({ code: 'upload-lost', retry: 'now' });
        }
        await deliver(second, 'lost.bin', bytes);
        expect(await stored('lost.bin')).toEqual(digestOf(bytes));
      });

      where(
        'from an earlier part when the server lost the end of what it held',
        (s) => s.shortenUnfinished,
        async (shorten) => {
          const bytes = sampleBytes(size(), 'shortened');
          const first = await open();
          const upload = await begin(first, 'shortened.bin', bytes);
          for (const n of [0, 1]) await write(upload, bytes, n);
          const checkpoint = throughJson(await upload.checkpoint());
          await first.close();
          await shorten();
          if (checkpoint === undefined) throw new Error('nothing to resume from');
          const second = await open();
          const resumed = await second.resume(
            fileOf('shortened.bin', bytes),
            planOf(size()),
            checkpoint,
            NEVER,
          );
          expect(resumed.held).toBe(1);
          for (const n of [1, 2, 3]) await write(resumed, bytes, n);
          await resumed.finish(digestOf(bytes), NEVER);
          expect(await stored('shortened.bin')).toEqual(digestOf(bytes));
        },
      );

      it('not with a checkpoint of another file, another plan or another version', async () => {
        const bytes = sampleBytes(size(), 'foreign');
        for (const foreign of [null, 7, 'x', {}, { v: 999 }, []] satisfies Json[]) {
          const resuming = destination.resume(
            fileOf('foreign.bin', bytes),
            planOf(size()),
            foreign,
            NEVER,
          );
          expect(await failure(resuming)).toMatchObject({ code: 'upload-lost', retry: 'now' });
        }
      });

      it('also to abort what another process began', async () => {
        const bytes = sampleBytes(size(), 'orphan');
        const before = await subject.listDirectly();
        const first = await open();
        const upload = await begin(first, 'orphan.bin', bytes);
        await write(upload, bytes, 0);
        const checkpoint = throughJson(await upload.checkpoint());
        await first.close();
        if (checkpoint !== undefined) {
          const second = await open();
          const resumed = await second.resume(
            fileOf('orphan.bin', bytes),
            planOf(size()),
            checkpoint,
            NEVER,
          );
          await resumed.abort();
          await resumed.abort();
        }
        expect(await subject.listDirectly()).toEqual(before);
      });

      it('and aborts nothing that another process has published', async () => {
        const bytes = sampleBytes(size(), 'published');
        const first = await open();
        const upload = await begin(first, 'published.bin', bytes);
        for (const n of [0, 1, 2, 3]) await write(upload, bytes, n);
        const checkpoint = throughJson(await upload.checkpoint());
        await upload.finish(digestOf(bytes), NEVER);
        await first.close();
        if (checkpoint !== undefined) {
          const again = [fileOf('published.bin', bytes), planOf(size()), checkpoint] as const;
          const resumed = await (await open()).resume(...again, NEVER);
          await resumed.abort();
        }
        expect(await stored('published.bin')).toEqual(digestOf(bytes));
      });
    });

    describe('tells what is wrong', () => {
      where(
        'refused credentials: never again without a change',
        (s) => s.openRefused,
        async (openRefused) => {
          const refused = await track(openRefused());
          const error = await failure(deliver(refused, 'x.bin', Buffer.from('x')));
          expect(error).toMatchObject({ code: 'auth-refused', retry: 'never' });
          const steps = await collect(refused.check(NEVER));
          expect(steps.at(-1)?.step).toBe('authentication');
          expect(steps.at(-1)?.error?.code).toBe('auth-refused');
        },
      );

      where(
        'a stopped transfer ends within a second, whatever the server does',
        (s) => s.openSilent,
        async (openSilent) => {
          const silent = await track(openSilent());
          const stopping = new AbortController();
          const reason = new FerryError('lease-lost', 'Stopped by the test.', { retry: 'later' });
          const bytes = sampleBytes(2 * partSize(), 'silent');
          const work = failure(
            (async () => {
              const upload = await silent.begin(
                fileOf('silent.bin', bytes),
                planOf(bytes.length),
                stopping.signal,
              );
              await write(upload, bytes, 0, stopping.signal);
              await write(upload, bytes, 1, stopping.signal);
            })(),
          );
          await new Promise((resolve) => setTimeout(resolve, 300));
          const stoppedAt = performance.now();
          stopping.abort(reason);
          expect((await work).code).toBe('lease-lost');
          expect(performance.now() - stoppedAt).toBeLessThan(1000);
        },
      );

      where(
        'a bit that flips on the way is found, and the file does not appear',
        (s) => s.openCorrupting,
        async (openCorrupting) => {
          const bytes = sampleBytes(Math.max(3 * partSize(), 3 * MiB), 'flipped');
          const corrupting = await track(openCorrupting());
          const error = await failure(deliver(corrupting, 'flipped.bin', bytes));
          expect(error.retry).not.toBe('never');
          expect(await stored('flipped.bin')).toBeUndefined();
        },
      );

      where(
        'a full disk: never again without a change, and nothing half is shown',
        (s) => s.openFull,
        async (openFull) => {
          const full = await track(openFull());
          const bytes = sampleBytes(Math.max(3 * partSize(), 16 * MiB), 'full');
          const error = await failure(deliver(full, 'full.bin', bytes));
          expect(error).toMatchObject({ code: 'no-space', retry: 'never' });
          expect(await full.stat('full.bin', NEVER)).toBeUndefined();
        },
      );

      for (const status of [429, 503] as const) {
        where(
          `HTTP ${status} with Retry-After: later, after the time asked for`,
          (s) => s.openBusy,
          async (openBusy) => {
            const busy = await track(openBusy(status));
            const error = await failure(deliver(busy, 'busy.bin', sampleBytes(10, 'busy')));
            expect(error).toMatchObject({ code: 'throttled', retry: 'later', retryAfterMs: 7000 });
          },
        );
      }

      it('the connection test passes, step by step, and leaves nothing behind', async () => {
        const before = await subject.listDirectly();
        const good = await collect(destination.check(NEVER));
        expect(good.filter((step) => step.error)).toEqual([]);
        const names = good.map((step) => step.step);
        expect(names).toEqual(
          expect.arrayContaining(['authentication', 'write', 'read back', 'delete']),
        );
        const told = new Map(good.map(({ step, detail }) => [step, detail]));
        expect(told.get('speed') ?? '4 MiB/s').toMatch(/^\d+(\.\d)? MiB\/s|^not measured: /);
        expect(told.get('space') ?? '1 MiB free').toMatch(/^[\d.]+ [GM]iB free$|does not tell$/);
        expect(await subject.listDirectly()).toEqual(before);
      });
    });

    describe('looks after what it delivered', () => {
      it('lists beyond one page, only below the folder asked for', async () => {
        const names = Array.from({ length: subject.listPage + 1 }, (_, i) => `many/${i}.bin`);
        await Promise.all(names.map((path) => deliver(destination, path, Buffer.from('x'))));
        await deliver(destination, 'many-old/other.bin', Buffer.from('y'));
        const listed = await collect(destination.list('many', NEVER));
        expect(listed.map((file: RemoteStat) => file.path).sort()).toEqual(names.sort());
      });

      it('lists nothing in a folder that does not exist', async () => {
        expect(await collect(destination.list('nowhere', NEVER))).toEqual([]);
      });

      it('reads a range', async () => {
        const bytes = sampleBytes(70_000, 'range');
        await deliver(destination, 'range.bin', bytes);
        const read = await collect(destination.read('range.bin', NEVER, { from: 10, to: 65_000 }));
        expect(Buffer.concat(read)).toEqual(bytes.subarray(10, 65_000));
      });

      it('says not-found when it reads what is not there', async () => {
        const error = await failure(collect(destination.read('absent.bin', NEVER)));
        expect(error).toMatchObject({ code: 'not-found', scope: 'archive' });
      });

      it('removes, and removing what is not there is no error', async () => {
        await deliver(destination, 'gone.bin', Buffer.from('x'));
        await destination.remove('gone.bin', NEVER);
        await destination.remove('gone.bin', NEVER);
        expect(await destination.stat('gone.bin', NEVER)).toBeUndefined();
      });
    });

    it('left nothing unfinished behind', async () => {
      const finished = (await collect(destination.list('', NEVER))).map((file) => file.path);
      expect([...(await subject.listDirectly())].sort()).toEqual(finished.sort());
    });
  });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What a checkpoint is after it was stored: JSON, and nothing but JSON. */
function throughJson(checkpoint: Json | undefined): Json | undefined {
  return checkpoint === undefined ? undefined : JSON.parse(JSON.stringify(checkpoint));
}
