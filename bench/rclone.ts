import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runMeasured, type Usage } from './measured-command.ts';
import type { RcloneRemote } from './place.ts';

const run = promisify(execFile);

/** A password as rclone wants it in its configuration. */
export async function obscure(password: string): Promise<string> {
  return (await run('rclone', ['obscure', password])).stdout.trim();
}

/** Its version, as it tells it. */
export async function rcloneVersion(): Promise<string> {
  const { stdout } = await run('rclone', ['version'], { env: quiet() });
  return /^rclone (\S+)/.exec(stdout)?.[1] ?? 'unknown';
}

export interface Copy {
  /** The S3 server that the archive is staged on. */
  readonly sourceEndpoint: string;
  /** `<bucket>/<folder>` */
  readonly from: string;
  /** In that folder; all of it where it is not given. */
  readonly file?: string | undefined;
  readonly remote: RcloneRemote;
  /** A folder below the remote's root. */
  readonly to: string;
  readonly flags: readonly string[];
}

/** Copies one archive, or a folder of them, by one process of rclone, from its start to its end. */
export async function copyByRclone(copy: Copy): Promise<Usage> {
  const { options, environment, root } = copy.remote;
  const source = {
    TYPE: 's3',
    PROVIDER: 'Other',
    ENDPOINT: copy.sourceEndpoint,
    REGION: 'us-east-1',
    ACCESS_KEY_ID: 'local',
    SECRET_ACCESS_KEY: 'local',
  };
  const env = {
    ...quiet(),
    ...configured('SOURCE', source),
    ...configured('PLACE', options),
    ...environment,
  };
  const { file, flags, from, to } = copy;
  const below = file === undefined ? '' : `/${file}`;
  const paths = [`source:${from}${below}`, `place:${root}${to}${below}`];
  const command = file === undefined ? 'copy' : 'copyto';
  return runMeasured(['rclone', command, ...flags, ...paths], env);
}

/** Settings of whoever runs this do not reach it. */
function quiet(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', RCLONE_CONFIG: '/dev/null' };
}

function configured(remote: string, options: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [`RCLONE_CONFIG_${remote}_${name}`, value]),
  );
}
