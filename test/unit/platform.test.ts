import middy from '@middy/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { FerryError, toFerryError } from '../../functions/core/errors.ts';
import { Secret } from '../../functions/core/secret.ts';
import { logInvocations, openLog } from '../../functions/platform/logging.ts';
import {
  openCheckMetrics,
  openEnqueueMetrics,
  openSweepMetrics,
  openTransferMetrics,
} from '../../functions/platform/metrics.ts';
import { invocation } from '../contract/lambda-context.ts';

/** What is written to the log of the function, line by line. */
let lines: unknown[];

beforeEach(() => {
  lines = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      lines.push(JSON.parse(String(chunk)));
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('the log', () => {
  it('has the fields of the invocation on every line', () => {
    const log = openLog('transfer');
    log.appendKeys({ jobId: 'ada#slot#nas' });
    log.info('delivered', { bytes: 5 });
    log.info('job ended', { outcome: 'succeeded' });
    expect(lines).toMatchObject([
      { service: 'transfer', level: 'INFO', message: 'delivered', jobId: 'ada#slot#nas', bytes: 5 },
      { service: 'transfer', message: 'job ended', jobId: 'ada#slot#nas', outcome: 'succeeded' },
    ]);
  });

  it('tells an error in its own words, and of the cause no more than name and message', () => {
    const cause = Object.assign(new TypeError('socket closed'), { password: 'tr0ub4dor' });
    const error = new FerryError('unreachable', 'The server does not answer.', {
      retry: 'later',
      cause,
    });
    openLog('transfer').info('failed', { userId: 'ada', error });
    expect(lines).toMatchObject([
      {
        userId: 'ada',
        error: {
          name: 'FerryError',
          code: 'unreachable',
          retry: 'later',
          message: 'The server does not answer.',
          cause: { name: 'TypeError', message: 'socket closed' },
        },
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('tr0ub4dor');
  });

  it('tells of an error that nobody foresaw also where it came from', () => {
    const places = expect.arrayContaining([expect.stringContaining('platform.test.ts')]);
    const thrown = new TypeError('x is not a function');
    const at = { name: 'TypeError', message: 'x is not a function', at: places };
    openLog('transfer').warn('job comes back later', { error: toFerryError(thrown) });
    openLog('transfer').warn('events not raised', { error: thrown });
    expect(lines).toMatchObject([{ error: { code: 'internal', cause: at } }, { error: at }]);
  });

  it('tells of an invocation that fails, and lets it fail', async () => {
    const handler = middy()
      .use(logInvocations(openLog('sweep')))
      .handler(() => {
        throw new RangeError('no such page');
      });
    await expect(handler({}, invocation(1000))).rejects.toThrow('no such page');
    expect(lines).toMatchObject([
      { message: 'invocation failed', level: 'ERROR', error: { name: 'RangeError' } },
    ]);
  });

  it('prints no secret, however it is handed over', () => {
    const password = new Secret('tr0ub4dor');
    openLog('transfer').info('odd', { settings: { password }, text: `${password}` });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('tr0ub4dor');
  });
});

/** A line of CloudWatch's embedded format: the dimensions and the values of its metrics. */
const embedded = z
  .looseObject({
    _aws: z.object({
      CloudWatchMetrics: z.tuple([
        z.object({
          Namespace: z.literal('Ferry'),
          Dimensions: z.tuple([z.array(z.string())]),
          Metrics: z.array(z.object({ Name: z.string(), Unit: z.string() })),
        }),
      ]),
    }),
  })
  .transform(({ _aws, ...values }) => {
    const [{ Dimensions, Metrics }] = _aws.CloudWatchMetrics;
    return {
      by: Object.fromEntries(Dimensions[0].map((name) => [name, values[name]])),
      metrics: Metrics.map(({ Name, Unit }) => `${Name} ${values[Name]} ${Unit}`),
    };
  });

describe('a metric', () => {
  it('of runs goes by outcome, and of archives by type of destination', () => {
    const metrics = openTransferMetrics('transfer');
    metrics.runEnded('succeeded');
    metrics.archiveDelivered('ssh', 1024, 250);
    metrics.runEnded('failed');
    expect(lines.map((line) => embedded.parse(line))).toEqual([
      { by: { service: 'transfer', outcome: 'succeeded' }, metrics: ['Runs 1 Count'] },
      {
        by: { service: 'transfer', type: 'ssh' },
        metrics: [
          'ArchivesDelivered 1 Count',
          'BytesDelivered 1024 Bytes',
          'TransferDuration 250 Milliseconds',
        ],
      },
      { by: { service: 'transfer', outcome: 'failed' }, metrics: ['Runs 1 Count'] },
    ]);
  });

  it('of a tick is there also when nobody was due', () => {
    openEnqueueMetrics('enqueue-due').tickEnded({
      jobs: 0,
      invalidRows: 0,
      usersLeft: 0,
      lagSeconds: 0,
    });
    expect(lines.map((line) => embedded.parse(line))).toEqual([
      {
        by: { service: 'enqueue-due' },
        metrics: [
          'JobsEnqueued 0 Count',
          'InvalidRows 0 Count',
          'UsersLeft 0 Count',
          'EnqueueLag 0 Seconds',
        ],
      },
    ]);
  });

  it('of a sweep is there also when nothing was lost', () => {
    openSweepMetrics('sweep').sweepEnded({ swept: 0, givenUp: 0, left: 0 });
    expect(lines.map((line) => embedded.parse(line))).toEqual([
      {
        by: { service: 'sweep' },
        metrics: ['JobsSwept 0 Count', 'JobsGivenUp 0 Count', 'JobsLeft 0 Count'],
      },
    ]);
  });

  it('of a refused row names no user', () => {
    openCheckMetrics('settings-changed').rowRefused();
    expect(lines.map((line) => embedded.parse(line))).toEqual([
      { by: { service: 'settings-changed' }, metrics: ['InvalidRows 1 Count'] },
    ]);
  });
});
