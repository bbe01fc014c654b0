import type { Secret } from '../../core/secret.ts';

/** How requests are signed. */
export type Credentials =
  | { readonly with: 'key'; readonly account: string; readonly key: Secret }
  | { readonly with: 'sas'; readonly token: Secret; readonly signature: Secret };

/** A storage account and the right to use it. */
export interface Account {
  /** Of the Blob service, with exactly one slash at its end. */
  readonly endpoint: URL;
  readonly credentials: Credentials;
  /** Where the credentials are for one container alone. */
  readonly container?: string | undefined;
}
