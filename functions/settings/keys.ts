/** Keys of the settings table. `spec` belongs to people, everything else to the pipeline. */
export const SETTINGS_KEY = 'userId';

/** The sparse index of users who are due: a paused or invalid user has neither key. */
export const DUE_INDEX = { name: 'due', partitionKey: 'dueShard', sortKey: 'dueAt' } as const;
