import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Debian packages that this needs. */
export const packages = ['openssl'] as const;

const run = promisify(execFile);

export interface IssuedCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface Authority {
  /** Certificate of the authority, PEM. */
  readonly pem: string;
  /** @param names subject alternative names as openssl writes them, such as `IP:127.0.0.1` */
  issue(names: string): Promise<IssuedCertificate>;
  remove(): Promise<void>;
}

/** A certificate authority that nobody trusts yet, made by the openssl command. */
export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'authority-'));
  const at = (name: string) => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const request = (name: string, ...more: readonly string[]) =>
    run('openssl', [
      ...['req', '-x509', ...key, '-subj', `/CN=${name}`],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), ...more],
    ]);
  const read = (name: string) => readFile(at(name), 'utf8');
  await request('authority');
  return {
    pem: await read('authority.pem'),
    async issue(names) {
      await request(
        'server',
        ...['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
        ...['-CA', at('authority.pem'), '-CAkey', at('authority.key')],
      );
      return { key: await read('server.key'), cert: await read('server.pem') };
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
