import { describe, expect, it } from 'vitest';
import { HELP, readChoices } from '../../local/command-line.ts';
import { DeliveryLog } from '../../local/delivery-log.ts';
import { describeLine } from '../../local/function-log.ts';
import { formatBytes, formatRate, formatSeconds } from '../../local/measures.ts';
import { describe as describeTransfer } from '../../local/progress.ts';
import { type DeliveryResult, formatJson, formatTable } from '../../local/report.ts';

const good: DeliveryResult = {
  user: 'anna',
  destination: 'nas',
  type: 'ssh',
  archive: 'mail/Büro.tar.gz',
  bytes: 3 * 1024 * 1024,
  sha256: 'ab'.repeat(32),
  seconds: 1.5,
  verified: true,
};
const bad: DeliveryResult = { ...good, user: 'bo', verified: false, why: 'The password is wrong.' };

describe('the command line', () => {
  it('knows its options', () => {
    expect(readChoices(['--json', '--keep'])).toEqual({ json: true, keep: true, help: false });
    for (const option of ['--json', '--keep', '--help']) expect(HELP).toContain(option);
  });

  it.each([['--jsn'], ['now']])('refuses %s by its name', (argument) => {
    expect(() => readChoices([argument])).toThrow(argument);
  });
});

describe('the table at the end', () => {
  it('has a line for each delivery, its columns one below the other', () => {
    const [headings = '', , line = ''] = formatTable([good]).split('\n');
    expect(line).toMatch(/anna +nas \(ssh\) +mail\/Büro.tar.gz +3.0 MiB +1.5 s +2.0 MiB\/s +yes/);
    expect(line.indexOf('yes')).toBe(headings.indexOf('verified'));
  });

  it('tells why a delivery failed', () => {
    const table = formatTable([good, bad]);
    expect(table).toMatch(/^bo .* NO$/m);
    expect(table).toContain('bo, nas, mail/Büro.tar.gz: The password is wrong.');
  });
});

describe('the JSON at the end', () => {
  it('is one line, with every delivery and the number of those that failed', () => {
    const text = formatJson([good, bad]);
    expect(text).not.toContain('\n');
    const { why, ...shown } = bad;
    expect(why).toBeDefined();
    expect(JSON.parse(text)).toEqual({ deliveries: [good, shown], failed: 1 });
  });
});

describe('measures', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [5 * 1024 ** 3, '5.0 GiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.6, '1:00 min'],
    [3600, '1:00 h'],
  ])('%d seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it('a rate is told by the second', () => expect(formatRate(2048)).toBe('2.0 KiB/s'));
});

describe('the progress of a transfer', () => {
  const key = { userId: 'anna', destination: 'nas', archive: 'anna/html/a.tar' };
  const progress = (bytes: number) =>
    JSON.stringify({ message: 'progress', ...key, bytes, total: 1000 });

  it('counts rate and time left from where it was first seen', () => {
    const log = new DeliveryLog();
    log.read(progress(100), 0);
    log.read(progress(300), 2000);
    const [transfer] = log.underWay();
    if (!transfer) throw new Error('Nothing is under way.');
    const line = describeTransfer(transfer, false);
    expect(line).toContain('30 %');
    expect(line).toContain('300 B of 1000 B');
    expect(line).toContain('100 B/s');
    expect(line).toContain('7.0 s left');
  });

  it('tells the most memory that a worker took', () => {
    const log = new DeliveryLog();
    for (const maxMemoryUsedMB of [120, 180, 90]) {
      const metrics = { durationMs: 1, memorySizeMB: 512, maxMemoryUsedMB, cpuMs: 1 };
      const record = { requestId: 'r', metrics };
      log.read(JSON.stringify({ type: 'platform.report', record }), 0);
    }
    expect(log.peakMemoryMiB).toBe(180);
  });

  it('ends with the delivery, which is remembered', () => {
    const log = new DeliveryLog();
    log.read(progress(100), 0);
    log.read(JSON.stringify({ message: 'delivered', ...key, bytes: 1000, durationMs: 4000 }), 4000);
    expect(log.underWay()).toEqual([]);
    expect(log.delivered(key)).toEqual({ durationMs: 4000 });
    expect(log.trouble(key)).toBeUndefined();
  });

  it('ends with its job, whose error counts for every archive of the destination', () => {
    const log = new DeliveryLog();
    log.read(progress(100), 0);
    const { userId, destination } = key;
    const errors = [{ code: 'auth-refused', message: 'The password is wrong.' }];
    log.read(
      JSON.stringify({ message: 'job ended', userId, destination, outcome: 'failed', errors }),
      1,
    );
    expect(log.underWay()).toEqual([]);
    expect(log.trouble({ ...key, archive: 'anna/mail/b.tar' })).toBe('The password is wrong.');
    expect(log.trouble({ ...key, destination: 'cloud' })).toBeUndefined();
  });

  it('is not disturbed by other lines', () => {
    const log = new DeliveryLog();
    for (const line of ['', 'text', '{"message":"progress"}', '{"_aws":{}}', 'null'])
      log.read(line, 0);
    expect(log.underWay()).toEqual([]);
  });
});

describe('a line of the log, for people', () => {
  it('tells of warnings with the reason', () => {
    const line = JSON.stringify({
      level: 'WARN',
      service: 'transfer',
      message: 'archive not delivered',
      userId: 'anna',
      destination: 'nas',
      reason: 'The disk is full.',
    });
    expect(describeLine(line)).toMatch(
      /transfer: archive not delivered.*anna, nas.*The disk is full/,
    );
  });

  it('shows what is no JSON as it is', () => expect(describeLine('at x.ts:1')).toBe('! at x.ts:1'));

  it('leaves out what is only for machines', () => {
    expect(describeLine('{"level":"INFO","message":"job started"}')).toBeUndefined();
  });
});
