import { describe, expect, it } from 'vitest';
import { describeNetworkErrors } from '../../functions/destinations/http/network-errors.ts';

const networkError = describeNetworkErrors({
  address: 'THE_ENDPOINT',
  authority: 'Paste its certificate.',
  plain: 'begin it with http',
  protocol: 'a store',
});

describe('an error of the network', () => {
  it.each(['constructor', 'toString', '__proto__', 'NOBODY_KNOWS'])(
    'with the code %s is told, and breaks nothing',
    (code) => {
      const error = networkError(Object.assign(new Error('odd'), { code }));
      expect(error).toMatchObject({ code: 'protocol', retry: 'later' });
      expect(error.message).toContain('THE_ENDPOINT');
    },
  );
});
