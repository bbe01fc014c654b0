const DAY_SECONDS = 24 * 3600;

/** When DynamoDB may remove an item that is kept for so many days, in epoch seconds. */
export function expiryAfter(days: number, now: number): number {
  return Math.floor(now / 1000) + days * DAY_SECONDS;
}

/** Items are removed some time after their expiry; until then they count as gone. */
export function isExpired({ expiresAt }: { readonly expiresAt: number }, now: number): boolean {
  return expiresAt * 1000 <= now;
}
