import { readFileSync } from 'node:fs';
import { azureReference } from '../../functions/destinations/azure/reference.ts';
import { dropboxReference } from '../../functions/destinations/dropbox/reference.ts';
import type { SettingReference } from '../../functions/destinations/reference.ts';
import { s3Reference } from '../../functions/destinations/s3/reference.ts';
import { sshReference } from '../../functions/destinations/ssh/reference.ts';
import { webDavReference } from '../../functions/destinations/webdav/reference.ts';
import { policyReference } from '../../functions/policy/reference.ts';
import { type FieldReference, specReference } from '../../functions/settings/reference.ts';
import { markdownTable } from '../markdown-table.ts';

/** Where the page stands. */
export const PAGE = new URL('../settings.md', import.meta.url);

/** The settings of each type of destination, as the page lists them. */
export const typeReferences: Readonly<Record<string, Readonly<Record<string, SettingReference>>>> =
  {
    ssh: sshReference,
    s3: s3Reference,
    azure: azureReference,
    dropbox: dropboxReference,
    webdav: webDavReference,
  };

/** What a row needs for each type, and what most rows have besides. */
const IN_EXAMPLE: Readonly<Record<string, readonly string[]>> = {
  ssh: ['SSH_HOST_NAME', 'SSH_USER', 'SSH_PASSWORD', 'SSH_REMOTE_PATH', 'SSH_HOST_KEY'],
  s3: [
    ...['AWS_S3_BUCKET_NAME', 'AWS_S3_PATH', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
    'AWS_REGION',
  ],
  azure: [
    'AZURE_STORAGE_ACCOUNT_NAME',
    'AZURE_STORAGE_PRIMARY_ACCOUNT_KEY',
    'AZURE_STORAGE_CONTAINER_NAME',
    'AZURE_STORAGE_PATH',
  ],
  dropbox: ['DROPBOX_APP_KEY', 'DROPBOX_REFRESH_TOKEN', 'DROPBOX_REMOTE_PATH'],
  webdav: ['WEBDAV_URL', 'WEBDAV_PATH', 'WEBDAV_USERNAME', 'WEBDAV_PASSWORD'],
};

/** A whole row with one destination of a type. */
export function exampleRow(type: string): object {
  const reference = typeReferences[type] ?? {};
  const settings = (IN_EXAMPLE[type] ?? []).map((name) => [name, reference[name]?.example]);
  return {
    userId: 'alice',
    spec: {
      v: 1,
      schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
      destinations: { offsite: { type, settings: Object.fromEntries(settings) } },
    },
  };
}

/** The policy item with every field. */
export function examplePolicy(): object {
  const policy: Record<string, unknown> = {};
  const network: Record<string, unknown> = {};
  for (const [path, { example }] of Object.entries(policyReference)) {
    const [first = '', below] = path.split('.');
    if (below === undefined) policy[first] = example;
    else network[below] = example;
  }
  return { userId: '#policy', policy: { ...policy, network } };
}

/** The whole page: the prose beside this file, with tables and examples from what the schemas say. */
export function settingsPage(): string {
  const prose = readFileSync(new URL('prose.md', import.meta.url), 'utf8');
  const page = prose.replaceAll(/^<!-- (table|example) (\w+) -->$/gm, (_, what, of: string) =>
    what === 'table' ? tableOf(of) : jsonOf(of),
  );
  return `<!-- Written by \`npm run docs\`; change docs/settings/prose.md or a reference.ts instead. -->\n\n${page}`;
}

function tableOf(what: string): string {
  if (what === 'spec') return table('field', specReference);
  if (what === 'policy') return table('field', policyReference);
  const reference = typeReferences[what];
  if (!reference) throw new Error(`There is nothing called ${what} to make a table of.`);
  return table('setting', reference);
}

function table(heading: string, lines: Readonly<Record<string, FieldReference>>): string {
  const rows = Object.entries(lines).map(([name, line]) => [
    `\`${name}\``,
    line.kind,
    line.default,
    asCode(line.example),
    line.meaning,
  ]);
  return markdownTable([heading, 'kind', 'default', 'example', 'meaning'], rows);
}

function asCode(example: unknown): string {
  return `\`${typeof example === 'string' ? example : JSON.stringify(example)}\``;
}

function jsonOf(what: string): string {
  const example = what === 'policy' ? examplePolicy() : exampleRow(what);
  return `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``;
}
