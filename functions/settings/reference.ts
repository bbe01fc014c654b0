/** What docs/settings.md says of one field of the row. */
export interface FieldReference {
  readonly kind: string;
  readonly default: string;
  readonly example: unknown;
  readonly meaning: string;
}

/** By its path below `spec`; `<name>` stands for any destination. A test holds it to the schema. */
export const specReference: Readonly<Record<string, FieldReference>> = {
  v: { kind: 'number', default: 'required', example: 1, meaning: 'version of the row: `1`' },
  enabled: {
    kind: 'boolean',
    default: '`true`',
    example: false,
    meaning: '`false` pauses the user',
  },
  'schedule.cron': {
    kind: 'text',
    default: '`@daily`',
    example: '30 2 * * *',
    meaning:
      'five fields, or a descriptor: `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`, `@every 6h`',
  },
  'schedule.timeZone': {
    kind: 'text',
    default: '`UTC`',
    example: 'Europe/Berlin',
    meaning: 'IANA name; in which the cron fields are read',
  },
  backUp: {
    kind: 'text or list',
    default: '`"everything"`',
    example: ['html', 'mysql'],
    meaning: 'or a list of components: the folders below `<userId>/` in the staging bucket',
  },
  destinations: {
    kind: 'map',
    default: 'required',
    example: { nas: '…' },
    meaning: 'up to 50, by a name of your own (`a-z`, `0-9`, `-`)',
  },
  'destinations.<name>.type': {
    kind: 'text',
    default: 'required',
    example: 'ssh',
    meaning: '`azure`, `dropbox`, `s3`, `ssh` or `webdav`',
  },
  'destinations.<name>.enabled': {
    kind: 'boolean',
    default: '`true`',
    example: false,
    meaning: '`false` leaves this one out',
  },
  'destinations.<name>.verify': {
    kind: 'text',
    default: '`size`',
    example: 'checksum',
    meaning:
      'how a delivery is proven at least. `size`: by the strongest that the destination tells of itself, named below for each type. `checksum`: where that is the size alone, the file is read back. `readback`: it is always read back, whole, and its SHA-256 compared; that costs its traffic once more, and the right to read, and cannot work with the tier `Archive` of Azure',
  },
  'destinations.<name>.settings': {
    kind: 'map',
    default: 'required',
    example: { SSH_HOST_NAME: '…' },
    meaning: 'the settings of its type, named below',
  },
};
