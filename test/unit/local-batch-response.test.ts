import { describe, expect, it } from 'vitest';
import { failedItems } from '../../local/batch-response.ts';

const all = new Set(['a', 'b']);

describe('what a function answers for a batch', () => {
  it.each([
    ['null', null],
    ['an empty object', {}],
    ['an empty list', { batchItemFailures: [] }],
    ['a list that is null', { batchItemFailures: null }],
  ])('%s means that all went well', (_, answer) => {
    expect(failedItems(answer, all)).toEqual(new Set());
  });

  it('a named item failed, the others went well', () => {
    expect(failedItems({ batchItemFailures: [{ itemIdentifier: 'b' }] }, all)).toEqual(
      new Set(['b']),
    );
  });

  it.each([
    ['an empty name', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['no name', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['a name under the wrong key', { batchItemFailures: [{ messageId: 'a' }] }],
    ['an item that is not in the batch', { batchItemFailures: [{ itemIdentifier: 'c' }] }],
    ['a text', 'done'],
  ])('%s fails the whole batch', (_, answer) => {
    expect(failedItems(answer, all)).toEqual(all);
  });
});
