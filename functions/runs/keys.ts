/** Keys of the runs table. */
export const RUNS_KEYS = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Epoch seconds; DynamoDB removes expired items some time later, so readers check it too. */
  expiry: 'expiresAt',
} as const;

/** The partition that holds everything about one user. */
export function userKey(userId: string): string {
  return `USER#${userId}`;
}
