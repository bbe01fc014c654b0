/**
 * Settings of docker-volume-backup that do not become settings of Ferry, and what to do instead. A
 * name that ends with `*` stands for all that begin so.
 * https://offen.github.io/docker-volume-backup/reference/
 */
const REASONS: readonly (readonly [names: readonly string[], why: string])[] = [
  [
    ['BACKUP_COMPRESSION', 'GZIP_PARALLELISM'],
    'Ferry delivers archives as they are staged: the panel decides how they are packed.',
  ],
  [
    ['BACKUP_SOURCES', 'BACKUP_EXCLUDE_REGEXP', 'BACKUP_FROM_SNAPSHOT'],
    'The panel decides what is in an archive; "backUp" of the spec chooses among the components that it stages.',
  ],
  [
    ['BACKUP_FILENAME', 'BACKUP_FILENAME_EXPAND'],
    'An archive keeps the name under which the panel stages it.',
  ],
  [
    ['BACKUP_ARCHIVE', 'BACKUP_LATEST_SYMLINK'],
    'There are no local copies: what is not staged any more is at the destination.',
  ],
  [
    [
      'BACKUP_RETENTION_DAYS',
      'BACKUP_PRUNING_LEEWAY',
      'BACKUP_PRUNING_PREFIX',
      'BACKUP_SKIP_BACKENDS_FROM_PRUNE',
    ],
    'Ferry removes nothing at a destination. Use a lifecycle rule of the storage, or a job of the server.',
  ],
  [
    ['BACKUP_JITTER'],
    'Ferry spreads users over the window of the operator (windowMinutes of the policy).',
  ],
  [
    ['GPG_*', 'AGE_*'],
    'Ferry does not encrypt archives: have the panel encrypt them before they are staged.',
  ],
  [
    ['NOTIFICATION_*', 'EMAIL_*'],
    "Ferry tells how runs went in a user's row, and operators by alarms and events; it sends users no messages.",
  ],
  [['EXEC_*', 'BACKUP_STOP_*', 'DOCKER_HOST'], 'Ferry runs no containers and no commands.'],
  [['LOCK_TIMEOUT'], 'Runs to one destination never overlap; there is nothing to wait for.'],
  [['GOOGLE_DRIVE_*'], 'Ferry has no destination of this type.'],
];

/** Why a setting is not carried over; undefined for one that docker-volume-backup does not have. */
export function whyNotCarried(name: string): string | undefined {
  const plain = name.replace(/_FILE$/, '');
  const matches = (pattern: string) =>
    pattern.endsWith('*') ? plain.startsWith(pattern.slice(0, -1)) : plain === pattern;
  return REASONS.find(([names]) => names.some(matches))?.[1];
}
