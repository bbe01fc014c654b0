import ssh2 from 'ssh2';
import { expect, it } from 'vitest';
import { generateSshKey } from '../../local/ssh-key.ts';

it('every SSH key that is generated can be read again', () => {
  for (let count = 0; count < 1000; count++) {
    expect(ssh2.utils.parseKey(generateSshKey().private)).not.toBeInstanceOf(Error);
  }
});
