import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { BUFFERS_COUNT_AS_HEAP } from '../../functions/platform/garbage-collection.ts';

it('the flag that makes transfers cheap is one that this Node has', () => {
  // V8 says on stderr alone that it does not know one, and goes on.
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(known).toContain(`  ${BUFFERS_COUNT_AS_HEAP} (`);
});
