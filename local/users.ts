import type { ArchiveContent } from './archives.ts';

/** Where a user wants the archives: a place on the server of this type, and the password for it. */
export interface LocalDestination {
  readonly type: string;
  /** Where the server has passwords of users. */
  readonly password: string;
}

/** A user of the show: what the panel stages for them, and what they asked Ferry for. */
export interface LocalUser {
  readonly id: string;
  readonly archives: readonly ArchiveContent[];
  readonly backUp: 'everything' | readonly string[];
  readonly destinations: Readonly<Record<string, LocalDestination>>;
}

/** Below this folder of every destination the archives arrive. */
export const BACKUP_FOLDER = 'backups';

/**
 * Who backs up what and where: large and small archives, one and two destinations, everything and a
 * choice, and names that need care. Contents come from this checkout and from `site`, a folder made
 * like a web host's home.
 */
export function inventUsers(): readonly LocalUser[] {
  return [
    {
      id: 'anna',
      archives: [
        {
          component: 'html',
          file: 'webshop.tar',
          modules: ['aws-cdk-lib', '@biomejs', '@typescript'],
        },
        { component: 'mail', file: 'Büro Post 2026.tar.gz', site: 'mail' },
        { component: 'crons', file: 'crontab.tar.gz', site: 'crons' },
      ],
      backUp: 'everything',
      destinations: { nas: { type: 'ssh', password: 'anna at home' } },
    },
    {
      id: 'bilal',
      archives: [
        { component: 'html', file: 'forum.tar', modules: ['@aws-sdk', '@smithy', '@typescript'] },
        { component: 'mysql', file: 'forum.sql.tar.gz', site: 'mysql' },
      ],
      backUp: 'everything',
      destinations: {
        office: { type: 'ssh', password: 'bilal in the office' },
        cloud: { type: 's3', password: '' },
      },
    },
    {
      id: 'carla',
      archives: [
        { component: 'html', file: 'blog.tar.gz', modules: ['zod'] },
        { component: 'mysql', file: 'blog.sql.tar', site: 'mysql' },
        { component: 'mail', file: 'inbox.tar.gz', site: 'mail' },
      ],
      backUp: ['mysql', 'mail'],
      destinations: { vault: { type: 'azure', password: '' } },
    },
    {
      id: 'dmitri',
      archives: [
        { component: 'vhosts', file: 'example.org.tar.gz', site: 'vhosts' },
        { component: 'postgres', file: 'wiki #1 100%.tar', site: 'postgres' },
      ],
      backUp: 'everything',
      destinations: {
        attic: { type: 'webdav', password: "dmitri's attic" },
        box: { type: 'dropbox', password: '' },
      },
    },
  ];
}
