import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import type { Job } from '../../functions/core/job.ts';
import { DESTINATION_NAME, USER_ID } from '../../functions/core/user.ts';
import { readMessage, writeMessage } from '../../functions/queue/message.ts';

const job: Job = { userId: 'ada', slot: '2026-11-22T03:00:00Z', destination: 'nas', hop: 0 };

const readError = (body: string): unknown => {
  try {
    return readMessage(body);
  } catch (error) {
    return error;
  }
};

describe('a message', () => {
  it('brings every job back as it was', () => {
    const anyJob = fc.record({
      userId: fc.stringMatching(/^[A-Za-z0-9._@-]{1,128}$/).filter((id) => USER_ID.test(id)),
      slot: fc
        .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString()),
      destination: fc.stringMatching(DESTINATION_NAME),
      hop: fc.nat(),
    });
    fc.assert(
      fc.property(anyJob, (any) => {
        expect(readMessage(writeMessage(any))).toEqual(any);
      }),
    );
  });

  const good = JSON.parse(writeMessage(job));
  it.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['another version', JSON.stringify({ ...good, v: 2 })],
    ['a field too many', JSON.stringify({ ...good, password: 'x' })],
    ['a field missing', JSON.stringify({ ...good, destination: undefined })],
    ['a user id that would leave its folder', JSON.stringify({ ...good, userId: '../ada' })],
    ['a user id of dots', JSON.stringify({ ...good, userId: '..' })],
    ['a separator in a name', JSON.stringify({ ...good, destination: 'a#b' })],
    ['a slot that is no instant', JSON.stringify({ ...good, slot: 'midnight' })],
    ['a broken hop', JSON.stringify({ ...good, hop: -1 })],
  ])('that holds %s is never tried again', (_what, body) => {
    const error = readError(body);
    expect(error).toBeInstanceOf(FerryError);
    expect(error).toMatchObject({ code: 'message-unreadable', retry: 'never' });
  });
});
