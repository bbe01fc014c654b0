import { rootCertificates } from 'node:tls';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { describeProblems, type Problem } from '../../functions/core/problem.ts';
import { originOf } from '../../functions/destinations/http/address.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { findProvider, providers } from '../../functions/destinations/s3/providers.ts';
import { s3Schema, toS3Settings } from '../../functions/destinations/s3/settings.ts';

const REQUIRED = {
  AWS_S3_BUCKET_NAME: 'my-backups',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'a-marked-secret',
};
const OWN = { AWS_ENDPOINT: 's3.example.org' };
const [PEM = '', OTHER_PEM = ''] = rootCertificates;

function problemsOf(more: Readonly<Record<string, unknown>>): readonly Problem[] {
  const parsed = parseDestination('s3', { ...REQUIRED, ...more }, NO_LIMITS);
  return parsed.ok ? [] : parsed.problems;
}

function accepted(more: Readonly<Record<string, unknown>>) {
  const parsed = toS3Settings(s3Schema.parse({ ...REQUIRED, ...more }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

describe('S3 settings', () => {
  it('need a bucket and both keys, and say which is missing', () => {
    for (const name of Object.keys(REQUIRED)) {
      expect(problemsOf({ [name]: '' })).toEqual([
        expect.objectContaining({ path: name, remedy: `Give ${name}.` }),
      ]);
    }
  });

  it('take keys from a role endpoint where there are none in the settings', () => {
    const endpoint = { AWS_IAM_ROLE_ENDPOINT: 'http://169.254.169.254' };
    expect(accepted(endpoint).credentials.from).toBe('settings');
    const noKeys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    expect(accepted({ ...noKeys, ...endpoint }).credentials.from).toBe('endpoint');
  });

  it('take a role at AWS, and nowhere else', () => {
    const bucket = { AWS_S3_BUCKET_NAME: 'backups' };
    const role = { ...bucket, AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/x/ferry-y' };
    const parsed = parseDestination('s3', role, NO_LIMITS);
    expect(parsed.ok).toBe(true);
    const elsewhere = parseDestination(
      's3',
      { ...role, AWS_ENDPOINT: 's3.example.org' },
      NO_LIMITS,
    );
    expect(elsewhere).toMatchObject({ ok: false, problems: [{ path: 'AWS_ROLE_ARN' }] });
  });

  it('reach AWS over https when nothing else is said', () => {
    const settings = accepted({});
    expect(originOf(settings.endpoint)).toBe('https://s3.amazonaws.com');
    expect(settings.provider.name).toBe('Amazon S3');
    expect(settings.region).toBeUndefined();
  });

  it.each([
    ['s3.example.org', undefined, 'https://s3.example.org'],
    ['s3.example.org:9000', undefined, 'https://s3.example.org:9000'],
    ['s3.example.org:9000', 'HTTP', 'http://s3.example.org:9000'],
    ['http://s3.example.org', undefined, 'http://s3.example.org'],
    ['https://s3.example.org/', 'https', 'https://s3.example.org'],
    ['[2001:db8::1]:9000', 'Https', 'https://[2001:db8::1]:9000'],
  ])('AWS_ENDPOINT %s with AWS_ENDPOINT_PROTO %s is %s', (endpoint, protocol, url) => {
    const given = { AWS_ENDPOINT: endpoint, ...(protocol ? { AWS_ENDPOINT_PROTO: protocol } : {}) };
    expect(originOf(accepted(given).endpoint)).toBe(url);
  });

  it.each([
    [{ AWS_ENDPOINT: 'https://s3.example.org/bucket' }, 'AWS_ENDPOINT', /path/],
    [{ AWS_ENDPOINT: 'ftp://s3.example.org' }, 'AWS_ENDPOINT', /http/],
    [{ AWS_ENDPOINT: 'me:pw@s3.example.org' }, 'AWS_ENDPOINT', /password/],
    [{ AWS_ENDPOINT: 's3 example' }, 'AWS_ENDPOINT', /host/],
    [
      { AWS_ENDPOINT: 'http://s3.example.org', AWS_ENDPOINT_PROTO: 'https' },
      'AWS_ENDPOINT',
      /same/,
    ],
    [{ AWS_ENDPOINT: 'my-backups.s3.example.org' }, 'AWS_ENDPOINT', /Give s3\.example\.org/],
    [{ ...OWN, AWS_ENDPOINT_PROTO: 'ftp' }, 'AWS_ENDPOINT_PROTO', /https/],
    [{ AWS_ENDPOINT_PROTO: 'http' }, 'AWS_ENDPOINT_PROTO', /https/],
    [{ ...OWN, AWS_ENDPOINT_INSECURE: 'maybe' }, 'AWS_ENDPOINT_INSECURE', /true or false/],
    [
      { ...OWN, AWS_ENDPOINT_PROTO: 'http', AWS_ENDPOINT_INSECURE: 'true' },
      'AWS_ENDPOINT_INSECURE',
      /https/,
    ],
    [
      { ...OWN, AWS_ENDPOINT_PROTO: 'http', AWS_ENDPOINT_CA_CERT: PEM },
      'AWS_ENDPOINT_CA_CERT',
      /https/,
    ],
    [
      { ...OWN, AWS_ENDPOINT_CA_CERT: PEM, AWS_ENDPOINT_INSECURE: true },
      'AWS_ENDPOINT_INSECURE',
      /Remove/,
    ],
    [{ ...OWN, AWS_ENDPOINT_CA_CERT: 'nonsense' }, 'AWS_ENDPOINT_CA_CERT', /BEGIN CERTIFICATE/],
    [
      { ...OWN, AWS_ENDPOINT_CA_CERT: `${PEM}\n${PEM.slice(0, 200)}\n-----END CERTIFICATE-----` },
      'AWS_ENDPOINT_CA_CERT',
      /again/,
    ],
    [{ AWS_S3_BUCKET_NAME: 'bucket/folder' }, 'AWS_S3_BUCKET_NAME', /AWS_S3_PATH/],
    [{ AWS_S3_BUCKET_NAME: 'My_Bucket' }, 'AWS_S3_BUCKET_NAME', /AWS_ENDPOINT/],
    [{ AWS_S3_PATH: 'a/../b' }, 'AWS_S3_PATH', /folders/],
    [{ AWS_STORAGE_CLASS: 'FROZEN' }, 'AWS_STORAGE_CLASS', /STANDARD_IA/],
    [{ AWS_PART_SIZE: '4' }, 'AWS_PART_SIZE', /5 to 5120/],
    [{ AWS_PART_SIZE: '5121' }, 'AWS_PART_SIZE', /5 to 5120/],
    [{ AWS_PART_SIZE: '16.5' }, 'AWS_PART_SIZE', /5 to 5120/],
    [{ AWS_PART_SIZE: 'big' }, 'AWS_PART_SIZE', /5 to 5120/],
    [{ AWS_REGION: 'eu central' }, 'AWS_REGION', /eu-central-1/],
    [{ AWS_IAM_ROLE_ENDPOINT: 'metadata' }, 'AWS_IAM_ROLE_ENDPOINT', /http:\/\//],
    [{ AWS_IAM_ROLE_ENDPOINT: 'file:///keys' }, 'AWS_IAM_ROLE_ENDPOINT', /http:\/\//],
    [{ AWS_ROLE_ARN: 'ferry-backups' }, 'AWS_ROLE_ARN', /arn:aws:iam::/],
    [{ AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/admin' }, 'AWS_ROLE_ARN', /ferry-admin/],
    [{ AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/ferry-x' }, 'AWS_ROLE_ARN', /Keep/],
    [{ AWS_S3_BUCKETNAME: 'x' }, 'AWS_S3_BUCKETNAME', /AWS_S3_BUCKET_NAME/],
  ])('refuse %o and say what to do', (given, path, words) => {
    const problems = problemsOf(given);
    expect(problems.map((one) => one.path)).toEqual([path]);
    expect(describeProblems(problems)).toMatch(words);
  });

  it('take every certificate of a pasted chain, also with line ends written as \\n', () => {
    const chain = `${PEM}\n${OTHER_PEM}\n`;
    for (const AWS_ENDPOINT_CA_CERT of [chain, chain.replaceAll('\n', '\\n')]) {
      const { authorities } = accepted({ ...OWN, AWS_ENDPOINT_CA_CERT });
      expect(authorities).toEqual([PEM.trim(), OTHER_PEM.trim()]);
    }
  });

  it('take the folder without the slashes around it', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc
            .stringMatching(/^[a-z .+#%-]{1,8}$/)
            .filter((name) => !/^[ .]/.test(name) && !name.endsWith(' ')),
        ),
        fc.constantFrom('', '/', '//'),
        (names, slash) => {
          const path = `${slash}${names.join('/')}${slash}`;
          expect(accepted({ AWS_S3_PATH: path }).folder).toBe(names.join('/'));
        },
      ),
    );
  });

  it('take a part size in MiB, where 0 leaves it to Ferry', () => {
    expect(accepted({ AWS_PART_SIZE: 64 }).partSize).toBe(64 * MiB);
    expect(accepted({ AWS_PART_SIZE: '0' }).partSize).toBeUndefined();
    expect(accepted({}).partSize).toBeUndefined();
  });

  it('pass on a storage class that only another server knows', () => {
    expect(accepted({ ...OWN, AWS_STORAGE_CLASS: 'COLD' }).storageClass).toBe('COLD');
  });

  it('show no secret, whatever prints them', () => {
    const settings = accepted({});
    for (const shown of [
      inspect(settings, { depth: 9, showHidden: true }),
      JSON.stringify(settings),
    ]) {
      expect(shown).not.toContain('a-marked-secret');
      expect(shown).not.toContain('AKIAEXAMPLE');
    }
  });
});

describe('the table of S3 providers', () => {
  it.each([
    ['s3.amazonaws.com', 'Amazon S3', undefined],
    ['s3.eu-central-1.amazonaws.com', 'Amazon S3', 'eu-central-1'],
    ['s3-eu-west-1.amazonaws.com', 'Amazon S3', 'eu-west-1'],
    ['s3.dualstack.us-gov-west-1.amazonaws.com', 'Amazon S3', 'us-gov-west-1'],
    ['s3.cn-north-1.amazonaws.com.cn', 'Amazon S3', 'cn-north-1'],
    ['s3.fr-par.scw.cloud', 'Scaleway', 'fr-par'],
    ['s3.us-west-004.backblazeb2.com', 'Backblaze B2', 'us-west-004'],
    ['0123abcd.r2.cloudflarestorage.com', 'Cloudflare R2', 'auto'],
    ['0123abcd.eu.r2.cloudflarestorage.com', 'Cloudflare R2', 'auto'],
    ['s3.wasabisys.com', 'Wasabi', 'us-east-1'],
    ['s3.eu-central-2.wasabisys.com', 'Wasabi', 'eu-central-2'],
    ['s3.filebase.com', 'Filebase', 'us-east-1'],
    ['s3.filebase.io', 'Filebase', 'us-east-1'],
    ['fsn1.your-objectstorage.com', 'Hetzner', 'fsn1'],
    ['minio.example.org', 'MinIO', undefined],
    ['my-minio1.example.org', 'MinIO', undefined],
    ['play.min.io', 'MinIO', undefined],
    ['rgw.example.org', 'Ceph', undefined],
    ['s3-ceph.example.org', 'Ceph', undefined],
    ['s3.example.org', 'an S3-compatible server', undefined],
    ['cephalopod.example.org', 'an S3-compatible server', undefined],
    ['s3.amazonaws.com.example.org', 'an S3-compatible server', undefined],
  ])('knows whose %s is', (host, name, region) => {
    const found = findProvider(host);
    expect([found.provider.name, found.region]).toEqual([name, region]);
  });

  it('has a name for each, and sends checksums to AWS alone', () => {
    expect(new Set(providers.map((one) => one.name)).size).toBe(providers.length);
    expect(providers.filter((one) => one.checksums !== 'none').map((one) => one.name)).toEqual([
      'Amazon S3',
    ]);
  });
});
