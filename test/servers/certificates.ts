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
  /**
   * @param names subject alternative names as openssl writes them, such as `IP:127.0.0.1`
   * @param days how long it is valid; -1 ended yesterday
   */
  issue(names: string, days?: number): Promise<IssuedCertificate>;
  remove(): Promise<void>;
}

/** A certificate authority that nobody trusts yet, made by the openssl command. */
export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'authority-'));
  const at = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const request = (name: string, ...more: readonly string[]) =>
    run('openssl', [
      ...['req', ...newKey, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`)],
      ...more,
    ]);
  const read = (name: string) => readFile(at(name), 'utf8');
  await request('authority', '-x509', '-days', '2', '-out', at('authority.pem'));
  return {
    pem: await read('authority.pem'),
    async issue(names, days = 2) {
      await request(
        'server',
        ...['-out', at('server.csr'), '-addext', `subjectAltName=${names}`],
        ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      );
      await run('openssl', [
        ...[
          'x509',
          '-req',
          '-in',
          at('server.csr'),
          '-copy_extensions',
          'copy',
          '-days',
          `${days}`,
        ],
        ...['-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial'],
        ...['-out', at('server.pem')],
      ]);
      return { key: await read('server.key'), cert: await read('server.pem') };
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
