export interface CheckMetrics {
  /** A changed row does not parse. */
  rowRefused(): void;
}

/** Where the check writes what happened. Fields hold no secret. */
export interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}
