import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { COLLECTION_FLAGS } from '../../functions/platform/garbage-collection.ts';

it('the flags that keep transfers cheap and small are ones that this Node has', () => {
  // V8 says on stderr alone that it does not know one, and goes on.
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  for (const flag of COLLECTION_FLAGS) expect(known).toContain(`  ${flag.split('=')[0]} (`);
});
