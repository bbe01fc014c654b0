/** What an item of the runs table is about. */
export interface RunsKey {
  readonly kind: string;
  /** As `placeOf` names it. */
  readonly place: string;
  /** Of a job. */
  readonly slot: string;
}

/** Reads `USER#<userId>|<kind>#…` as tables here name their items. */
export function readKey(key: string): RunsKey {
  const [user = '', rest = ''] = key.split('|');
  const userId = user.slice('USER#'.length);
  const [kind = '', first = '', second = ''] = rest.split('#');
  const destination = kind === 'JOB' ? second : first;
  return { kind, place: `${userId}/${destination}`, slot: kind === 'JOB' ? first : '' };
}
