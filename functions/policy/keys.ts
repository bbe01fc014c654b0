/** The item of the settings table that holds the policy; no user can have this id. */
export const POLICY_ID = '#policy';

/** How the settings table names its key, also for this one item. */
export const POLICY_KEY = { userId: POLICY_ID } as const;
