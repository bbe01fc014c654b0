/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), in ms; undefined where there is none. */
export function waitAskedFor(header: string | null | undefined): number | undefined {
  if (header === undefined || header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
