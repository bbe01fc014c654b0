import { generateSshKey } from '../../local/ssh-key.ts';

type Settings = Readonly<Record<string, unknown>>;

/** A row with a mistake, and what its status has to say of it. */
export interface WrongRow {
  readonly mistake: string;
  /** What people write beside `userId`. */
  readonly row: Readonly<Record<string, unknown>>;
  /** The field that the message has to name. */
  readonly path: string;
  readonly problem: RegExp;
  readonly remedy: RegExp;
}

const SSH = { SSH_HOST_NAME: 'nas.example.org', SSH_USER: 'ada', SSH_PASSWORD: 'tr0ub4dor' };
const S3 = {
  AWS_S3_BUCKET_NAME: 'ada-backups',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
};
const AZURE = {
  AZURE_STORAGE_ACCOUNT_NAME: 'adabackups',
  AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: Buffer.alloc(64).toString('base64'),
  AZURE_STORAGE_CONTAINER_NAME: 'archives',
};
const WEBDAV = {
  WEBDAV_URL: 'https://cloud.example.com/dav',
  WEBDAV_USERNAME: 'ada',
  WEBDAV_PASSWORD: 'tr0ub4dor',
};
const DROPBOX = { DROPBOX_APP_KEY: 'key', DROPBOX_REFRESH_TOKEN: 'token' };
const BASE: Readonly<Record<string, Settings>> = {
  ssh: SSH,
  s3: S3,
  azure: AZURE,
  webdav: WEBDAV,
  dropbox: DROPBOX,
};

const nas = { type: 'ssh', settings: SSH };

/** A row that is right but for these fields of its spec. */
const spec = (fields: object) => ({ spec: { v: 1, destinations: { nas }, ...fields } });

/** A mistake in the spec. */
const wrong = (
  mistake: string,
  fields: object,
  path: string,
  problem: RegExp,
  remedy: RegExp,
): WrongRow => ({ mistake, row: spec(fields), path: `spec.${path}`, problem, remedy });

/** A mistake in the settings of a destination of this type. */
const setting = (
  type: string,
  mistake: string,
  settings: Settings,
  path: string,
  problem: RegExp,
  remedy: RegExp,
): WrongRow => ({
  mistake: `${type}: ${mistake}`,
  row: spec({ destinations: { there: { type, settings: { ...BASE[type], ...settings } } } }),
  path: `spec.destinations.there.${path === 'type' ? path : `settings.${path}`}`,
  problem,
  remedy,
});

const key = generateSshKey().private;

/** The row, and what is between people and a backup. */
export const SPEC_MISTAKES: readonly WrongRow[] = [
  { mistake: 'no spec', row: {}, path: 'spec', problem: /missing/, remedy: /map with v and dest/ },
  {
    mistake: 'a spec as JSON text',
    row: { spec: '{"v":1}' },
    path: 'spec',
    problem: /not a map/,
    remedy: /map with v/,
  },
  {
    mistake: 'a field beside spec',
    row: { ...spec({}), enabled: false },
    path: 'enabled',
    problem: /nothing of this name/,
    remedy: /Known here: userId, spec/,
  },
  wrong('no version', { v: undefined }, 'v', /missing/, /the number 1/),
  wrong('a version to come', { v: 2 }, 'v', /not the number 1/, /Give the number 1/),
  wrong('a version as text', { v: '1' }, 'v', /not the number 1/, /Give the number 1/),
  wrong(
    'a misspelt field',
    { shedule: {} },
    'shedule',
    /nothing of this name/,
    /Did you mean schedule\?/,
  ),
  wrong('a text for a switch', { enabled: 'yes' }, 'enabled', /not true or false/, /true or false/),
  wrong('a schedule as text', { schedule: '@daily' }, 'schedule', /not a map/, /cron and timeZone/),
  wrong(
    'a misspelt field of the schedule',
    { schedule: { timezone: 'UTC' } },
    'schedule.timezone',
    /nothing/,
    /Did you mean timeZone\?/,
  ),
  wrong(
    'a minute that does not exist',
    { schedule: { cron: '61 * * * *' } },
    'schedule.cron',
    /minute 61/,
    /from 0 to 59/,
  ),
  wrong(
    'six fields',
    { schedule: { cron: '0 30 2 * * *' } },
    'schedule.cron',
    /6 fields/,
    /"30 2 \* \* \*"/,
  ),
  wrong(
    'a descriptor that there is not',
    { schedule: { cron: '@dayly' } },
    'schedule.cron',
    /no "@dayly"/,
    /@daily\?/,
  ),
  wrong(
    'a day that never comes',
    { schedule: { cron: '0 0 31 2 *' } },
    'schedule.cron',
    /never comes/,
    /Choose a day/,
  ),
  wrong(
    'an interval of days',
    { schedule: { cron: '@every 2d' } },
    'schedule.cron',
    /not an interval/,
    /@every 6h/,
  ),
  wrong(
    'a zone in the cron expression',
    { schedule: { cron: 'TZ=UTC 0 2 * * *' } },
    'schedule.cron',
    /time zone/,
    /timeZone/,
  ),
  wrong(
    'an unknown zone',
    { schedule: { timeZone: 'Europe/Berln' } },
    'schedule.timeZone',
    /no time zone/,
    /Europe\/Berlin\?/,
  ),
  wrong(
    'an offset for a zone',
    { schedule: { timeZone: '+02:00' } },
    'schedule.timeZone',
    /no time zone/,
    /IANA/,
  ),
  wrong(
    'one component as text',
    { backUp: 'html' },
    'backUp',
    /list of components/,
    /\["html", "mysql"\]/,
  ),
  wrong(
    'nothing to back up',
    { backUp: [] },
    'backUp',
    /list of components/,
    /\["html", "mysql"\]/,
  ),
  wrong(
    'a component with a path',
    { backUp: ['html/site'] },
    'backUp.0',
    /component/,
    /without a slash/,
  ),
  wrong('no destinations', { destinations: {} }, 'destinations', /at least one/, /at least one/),
  wrong(
    'destinations as a list',
    { destinations: [{ type: 'ssh', settings: {} }] },
    'destinations',
    /not a map/,
    /by name/,
  ),
  wrong(
    'a secret beside the settings',
    { destinations: { nas: { ...nas, SSH_PASSWORD: 'swordfish' } } },
    'destinations.nas.SSH_PASSWORD',
    /where none belongs/,
    /as it is/,
  ),
  wrong(
    'a secret beside the destinations',
    { SSH_PASSWORD: 'swordfish', destinations: { nas } },
    'SSH_PASSWORD',
    /where none belongs/,
    /Enter it again/,
  ),
  wrong(
    'capital letters in a name',
    { destinations: { NAS: nas } },
    'destinations.NAS',
    /name/,
    /lowercase/,
  ),
  wrong(
    'no type',
    { destinations: { nas: { settings: SSH } } },
    'destinations.nas.type',
    /missing/,
    /"ssh"/,
  ),
  wrong(
    'an unknown type',
    { destinations: { nas: { type: 'sftp', settings: SSH } } },
    'destinations.nas.type',
    /no destination type "sftp"/,
    /Known types: azure, dropbox, s3, ssh, webdav/,
  ),
  wrong(
    'no settings',
    { destinations: { nas: { type: 'ssh' } } },
    'destinations.nas.settings',
    /missing/,
    /map of settings/,
  ),
  wrong(
    'settings beside "settings"',
    { destinations: { nas: { ...nas, SSH_PORT: 22 } } },
    'destinations.nas.SSH_PORT',
    /nothing of this name/,
    /Known here: type/,
  ),
  wrong(
    'a proof that there is not',
    { destinations: { nas: { ...nas, verify: 'sha256' } } },
    'destinations.nas.verify',
    /not/,
    /"checksum"/,
  ),
  wrong(
    '51 destinations',
    { destinations: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`nas-${n}`, nas])) },
    'destinations',
    /at most 50/,
    /at most 50/,
  ),
];

/** Settings of destinations, as far as they can be read in the row. */
export const SETTING_MISTAKES: readonly WrongRow[] = [
  setting(
    'ssh',
    'no host',
    { SSH_HOST_NAME: '' },
    'SSH_HOST_NAME',
    /missing/,
    /Give SSH_HOST_NAME/,
  ),
  setting(
    'ssh',
    'a URL for a host',
    { SSH_HOST_NAME: 'ssh://nas.example.org' },
    'SSH_HOST_NAME',
    /name of a server/,
    /alone/,
  ),
  setting(
    'ssh',
    'a misspelt setting',
    { SSH_HOSTNAME: 'nas' },
    'SSH_HOSTNAME',
    /no setting of this name/,
    /SSH_HOST_NAME\?/,
  ),
  setting(
    'ssh',
    'a port that is a word',
    { SSH_PORT: 'ssh' },
    'SSH_PORT',
    /whole number/,
    /1 to 65535/,
  ),
  setting(
    'ssh',
    'a map for a text',
    { SSH_USER: { name: 'ada' } },
    'SSH_USER',
    /not a text/,
    /Give a text/,
  ),
  setting(
    'ssh',
    'no way to log in',
    { SSH_PASSWORD: '' },
    'SSH_PASSWORD',
    /neither a password nor/,
    /SSH_IDENTITY_FILE/,
  ),
  setting(
    'ssh',
    'half a private key',
    { SSH_IDENTITY_FILE: key.slice(0, 200) },
    'SSH_IDENTITY_FILE',
    /not a private key that Ferry can read/,
    /Ed25519, ECDSA or RSA/,
  ),
  setting(
    'ssh',
    'the public key',
    { SSH_IDENTITY_FILE: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0= ada@nas' },
    'SSH_IDENTITY_FILE',
    /not a private key that Ferry can read/,
    /Ed25519, ECDSA or RSA/,
  ),
  setting(
    'ssh',
    'a host key that is none',
    { SSH_HOST_KEY: 'MD5:aa:bb' },
    'SSH_HOST_KEY',
    /no usable host key/,
    /SHA256:/,
  ),
  setting(
    'ssh',
    'a file above the user’s folder',
    { SSH_IDENTITY_FILE_FILE: '../bob/id' },
    'SSH_IDENTITY_FILE_FILE',
    /not the path/,
    /without "\.\."/,
  ),
  setting(
    'ssh',
    'a value and a file for it',
    { SSH_PASSWORD_FILE: '.ferry/pw' },
    'SSH_PASSWORD',
    /given here and by a file/,
    /Keep one/,
  ),
  setting(
    'ssh',
    'too long a text',
    { SSH_REMOTE_PATH: 'x'.repeat(40_000) },
    'SSH_REMOTE_PATH',
    /too long/,
    /32768/,
  ),
  setting(
    's3',
    'no bucket',
    { AWS_S3_BUCKET_NAME: '' },
    'AWS_S3_BUCKET_NAME',
    /missing/,
    /Give AWS_S3_BUCKET_NAME/,
  ),
  setting(
    's3',
    'a bucket with a path',
    { AWS_S3_BUCKET_NAME: 'ada/backups' },
    'AWS_S3_BUCKET_NAME',
    /more than the name/,
    /AWS_S3_PATH/,
  ),
  setting(
    's3',
    'a key without its secret',
    { AWS_SECRET_ACCESS_KEY: '' },
    'AWS_SECRET_ACCESS_KEY',
    /without it/,
    /Give AWS_SECRET_ACCESS_KEY/,
  ),
  setting(
    's3',
    'keys and a role',
    { AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/ferry-ada' },
    'AWS_ROLE_ARN',
    /keys and a role/,
    /Keep/,
  ),
  setting(
    's3',
    'a role of another name',
    { AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/admin' },
    'AWS_ROLE_ARN',
    /begins with "ferry-"/,
    /ferry-admin/,
  ),
  setting(
    's3',
    'an endpoint with a path',
    { AWS_ENDPOINT: 's3.example.org/ada' },
    'AWS_ENDPOINT',
    /has a path/,
    /AWS_S3_BUCKET_NAME/,
  ),
  setting(
    's3',
    'two protocols',
    { AWS_ENDPOINT: 'http://s3.example.org', AWS_ENDPOINT_PROTO: 'https' },
    'AWS_ENDPOINT',
    /AWS_ENDPOINT_PROTO says https/,
    /make both the same/,
  ),
  setting(
    's3',
    'a part of one MiB',
    { AWS_PART_SIZE: 1 },
    'AWS_PART_SIZE',
    /5 MiB/,
    /0 to let Ferry choose/,
  ),
  setting(
    's3',
    'a storage class that AWS has not',
    { AWS_STORAGE_CLASS: 'COLD' },
    'AWS_STORAGE_CLASS',
    /no storage class/,
    /STANDARD_IA/,
  ),
  setting(
    's3',
    'a switch that is neither on nor off',
    { AWS_ENDPOINT_INSECURE: 'maybe' },
    'AWS_ENDPOINT_INSECURE',
    /neither true nor false/,
    /true or false/,
  ),
  setting(
    's3',
    'a certificate that is none',
    { AWS_ENDPOINT: 's3.example.org', AWS_ENDPOINT_CA_CERT: 'not a\ncertificate' },
    'AWS_ENDPOINT_CA_CERT',
    /not a certificate in PEM form/,
    /BEGIN CERTIFICATE/,
  ),
  setting(
    'azure',
    'an address for an account',
    { AZURE_STORAGE_ACCOUNT_NAME: 'ada.blob.core.windows.net' },
    'AZURE_STORAGE_ACCOUNT_NAME',
    /not the name/,
    /alone/,
  ),
  setting(
    'azure',
    'half a key',
    { AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: 'abc' },
    'AZURE_STORAGE_PRIMARY_ACCOUNT_KEY',
    /not a key/,
    /Access keys/,
  ),
  setting(
    'azure',
    'no key at all',
    { AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: '' },
    'AZURE_STORAGE_PRIMARY_ACCOUNT_KEY',
    /no key/,
    /AZURE_STORAGE_SAS/,
  ),
  setting(
    'azure',
    'two keys',
    { AZURE_STORAGE_SAS: 'sv=2024&sig=x' },
    'AZURE_STORAGE_SAS',
    /given as well/,
    /Keep one/,
  ),
  setting(
    'azure',
    'capital letters in a container',
    { AZURE_STORAGE_CONTAINER_NAME: 'Archives' },
    'AZURE_STORAGE_CONTAINER_NAME',
    /not the name/,
    /AZURE_STORAGE_PATH/,
  ),
  setting(
    'azure',
    'a tier of disks',
    { AZURE_STORAGE_ACCESS_TIER: 'P10' },
    'AZURE_STORAGE_ACCESS_TIER',
    /page blobs/,
    /Hot/,
  ),
  setting(
    'azure',
    'a signature that has run out',
    {
      AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: '',
      AZURE_STORAGE_SAS: 'sv=2024-11-04&ss=b&srt=co&sp=rwdlc&se=2020-01-01T00:00:00Z&sig=abc',
    },
    'AZURE_STORAGE_SAS',
    /ran out on 2020-01-01/,
    /Make a new one/,
  ),
  setting('webdav', 'no address', { WEBDAV_URL: '' }, 'WEBDAV_URL', /missing/, /Give WEBDAV_URL/),
  setting(
    'webdav',
    'an address for other clients',
    { WEBDAV_URL: 'davs://cloud.example.com' },
    'WEBDAV_URL',
    /not a web address/,
    /https:\/\//,
  ),
  setting(
    'webdav',
    'a password in the address',
    { WEBDAV_URL: 'https://ada:pw@cloud.example.com/' },
    'WEBDAV_URL',
    /user name or a password/,
    /WEBDAV_PASSWORD/,
  ),
  setting(
    'webdav',
    'a user without a password',
    { WEBDAV_PASSWORD: '' },
    'WEBDAV_PASSWORD',
    /WEBDAV_USERNAME is given/,
    /Give both/,
  ),
  setting(
    'webdav',
    'any certificate and one of its own',
    { WEBDAV_URL: 'http://cloud.example.com', WEBDAV_URL_INSECURE: true },
    'WEBDAV_URL_INSECURE',
    /plain http/,
    /Remove it/,
  ),
  setting(
    'dropbox',
    'a token that ends after four hours',
    { DROPBOX_REFRESH_TOKEN: 'sl.abc' },
    'DROPBOX_REFRESH_TOKEN',
    /access token/,
    /ferry dropbox connect/,
  ),
  setting(
    'dropbox',
    'an app that is none',
    { DROPBOX_APP_KEY: 'my app' },
    'DROPBOX_APP_KEY',
    /not the key/,
    /App Console/,
  ),
  setting(
    'dropbox',
    'too much at once',
    { DROPBOX_CONCURRENCY_LEVEL: 100 },
    'DROPBOX_CONCURRENCY_LEVEL',
    /allowed range/,
    /1 to 16/,
  ),
];

/** What is sealed, or looks as if it were. */
export const SEALED_MISTAKES: readonly WrongRow[] = [
  setting(
    'ssh',
    'half of a sealed secret',
    { SSH_PASSWORD: { sealed: 'AbCd' } },
    'SSH_PASSWORD',
    /seal/,
    /again/,
  ),
  setting(
    'ssh',
    'a sealed value where no secret belongs',
    { SSH_USER: { sealed: 'AbCd' } },
    'SSH_USER',
    /secret/,
    /Give its value as text/,
  ),
];

/** What the operator of the test does not allow: see `POLICY`. */
export const POLICY = {
  v: 1,
  types: ['azure', 's3', 'ssh', 'webdav', 'dropbox'],
  shortestIntervalMinutes: 60,
  mostDestinations: 50,
  network: { allow: ['10.1.0.0/16'], ports: { ssh: ['22'] } },
};

export const POLICY_MISTAKES: readonly WrongRow[] = [
  wrong(
    'too short an interval',
    { schedule: { cron: '*/10 * * * *' } },
    'schedule.cron',
    /\(shortestIntervalMinutes\)/,
    /60 minutes or more/,
  ),
  wrong(
    'two times close together',
    { schedule: { cron: '0,50 3 * * *' } },
    'schedule.cron',
    /50 minutes apart.*shortestInterval/,
    /60 minutes or more/,
  ),
  setting(
    'ssh',
    'an address of a private network',
    { SSH_HOST_NAME: '192.168.1.5' },
    'SSH_HOST_NAME',
    /192\.168\.1\.5/,
    /network\.allow/,
  ),
  setting(
    'ssh',
    'this machine in other digits',
    { SSH_HOST_NAME: '0x7f.1' },
    'SSH_HOST_NAME',
    /127\.0\.0\.1/,
    /network\.allow/,
  ),
  setting(
    'ssh',
    'a name inside a private network',
    { SSH_HOST_NAME: 'nas.local' },
    'SSH_HOST_NAME',
    /private networks only/,
    /network\.allow/,
  ),
  setting(
    'ssh',
    'a port that is not allowed',
    { SSH_PORT: 2222 },
    'SSH_PORT',
    /2222/,
    /network\.ports/,
  ),
  setting(
    's3',
    'the metadata of a cloud',
    { AWS_ENDPOINT: '169.254.169.254' },
    'AWS_ENDPOINT',
    /169\.254\.169\.254/,
    /network\.allow/,
  ),
  setting(
    's3',
    'plain http',
    { AWS_ENDPOINT: 's3.example.org', AWS_ENDPOINT_PROTO: 'http' },
    'AWS_ENDPOINT',
    /plain http.*\(plainHttp\)/,
    /AWS_ENDPOINT_PROTO to https/,
  ),
  setting(
    'webdav',
    'plain http',
    { WEBDAV_URL: 'http://cloud.example.com/dav' },
    'WEBDAV_URL',
    /\(plainHttp\)/,
    /begin WEBDAV_URL with https/,
  ),
  setting(
    'webdav',
    'any certificate',
    { WEBDAV_URL_INSECURE: 'on' },
    'WEBDAV_URL_INSECURE',
    /\(insecureTls\)/,
    /WEBDAV_URL_CA_CERT/,
  ),
  setting(
    'azure',
    'an IPv6 address of this machine',
    { AZURE_STORAGE_ENDPOINT: 'https://[::1]/{{ .AccountName }}' },
    'AZURE_STORAGE_ENDPOINT',
    /::1/,
    /network\.allow/,
  ),
  setting(
    'dropbox',
    'another server over plain http',
    { DROPBOX_ENDPOINT: 'http://box.example.com' },
    'DROPBOX_ENDPOINT',
    /\(plainHttp\)/,
    /begin DROPBOX_ENDPOINT with https/,
  ),
];
