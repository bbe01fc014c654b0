import { spawn } from 'node:child_process';
import { ensureDebianPackages } from './debian-packages.ts';
import { packages as clients } from './end-to-end/clients.ts';
import { packages as apache } from './servers/apache.ts';
import { packages as certificates } from './servers/certificates.ts';
import { packages as nginx } from './servers/nginx-dav.ts';
import { packages as openssh } from './servers/openssh.ts';
import { packages as sabre } from './servers/sabredav.ts';
import { packages as swift } from './servers/swift.ts';

/**
 * `npm test`: installs the servers that the tests talk to, then runs every test. Arguments go to
 * Vitest, e.g. `npm test -- ssh` for the files with "ssh" in their path.
 */
try {
  ensureDebianPackages([
    ...[...apache, ...certificates, ...clients, ...nginx],
    ...[...openssh, ...sabre, ...swift],
  ]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const vitest = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => vitest.kill(signal));
vitest.on('exit', (code) => process.exit(code ?? 1));
