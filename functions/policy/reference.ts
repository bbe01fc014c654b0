/** What docs/settings.md says of one field of the policy, by its path. A test holds it to the schema. */
export const policyReference = {
  v: { kind: 'number', default: 'required', example: 1, meaning: 'version of the policy: `1`' },
  types: {
    kind: 'list',
    default: 'all',
    example: ['s3', 'ssh'],
    meaning: 'types of destination that users may have',
  },
  shortestIntervalMinutes: {
    kind: 'minutes',
    default: '`15`',
    example: 60,
    meaning: 'between two planned runs of one user, at least',
  },
  mostDestinations: {
    kind: 'number',
    default: '`50`',
    example: 5,
    meaning: 'destinations of one user, switched on or off',
  },
  mostBytesPerRun: {
    kind: 'bytes',
    default: 'no limit',
    example: 500_000_000_000,
    meaning:
      'that one run may bring to one destination. A run with more is refused before its first byte',
  },
  mostBytesPerMonth: {
    kind: 'bytes',
    default: 'no limit',
    example: 5_000_000_000_000,
    meaning:
      'that one user may have delivered in a calendar month (UTC), to all destinations together. The run ends at the first archive for which there is no room',
  },
  mostJobsAtOnce: {
    kind: 'number',
    default: '`10`',
    example: 3,
    meaning:
      'destinations of one user that are delivered to at once; the others wait, and have failed after a day',
  },
  'network.allow': {
    kind: 'list',
    default: 'none',
    example: ['10.1.0.0/16', 'nas.example.org', '*.backup.example.org'],
    meaning:
      'ranges, addresses, host names and `*.suffix` that destinations may be at although they are not public; open to every user',
  },
  'network.ports': {
    kind: 'map',
    default: '80, 443, 1024 to 65535; for `ssh` 22, 23, 1024 to 65535',
    example: { ssh: ['22', '1024-65535'] },
    meaning: 'ports that destinations of a type may have, by type',
  },
  plainHttp: {
    kind: 'boolean',
    default: '`false`',
    example: false,
    meaning: 'whether destinations may be reached over `http`, unencrypted',
  },
  insecureTls: {
    kind: 'boolean',
    default: '`false`',
    example: false,
    meaning: 'whether users may have any certificate accepted (`…_INSECURE`)',
  },
  trustFirstHostKey: {
    kind: 'boolean',
    default: '`false`',
    example: false,
    meaning:
      'whether the host key that an SSH server shows first is taken where the row names none',
  },
  windowMinutes: {
    kind: 'minutes',
    default: '`spreadMinutes` of the stage',
    example: 120,
    meaning:
      '0 to 720: over which users of the same planned time are spread; each starts the same number of minutes later, every time',
  },
} as const;
