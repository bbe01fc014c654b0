import type { Json } from '../core/checkpoint.ts';
import type { Egress } from '../core/egress.ts';
import type { Policy } from '../core/policy.ts';
import type { Secret } from '../core/secret.ts';

/** Keys that stop working by themselves. */
export interface TemporaryKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
  readonly expiresAt: Date;
}

/** What one destination of one user may use of the deployment that it runs in. */
export interface Surroundings {
  /** The guard that every connection to what a setting names goes through. */
  readonly egress: Egress;
  /**
   * Whether the first host key that an SSH server shows may be trusted where none is pinned: an
   * operator's decision, against which somebody in between at that moment is not noticed.
   */
  readonly trustFirstHostKey: boolean;
  /**
   * The text of a small file that is staged for the user.
   * @param path below the user's own folder of the staging bucket
   * @returns undefined where there is no such file
   */
  readFile(path: string): Promise<string | undefined>;
  /** What the operator allows. */
  readonly policy: Policy;
  /**
   * Opens a sealed setting of this very destination.
   * @param name of the setting
   * @throws FerryError `setting-invalid` where it was sealed for something else or was changed
   */
  unseal(name: string, sealed: string): Promise<Secret>;
  /** Addresses that may hand out keys, as the operator lists them. */
  readonly roleEndpoints: readonly string[];
  /**
   * Keys of a role in an AWS account of the user's, which has to trust this deployment with an
   * external id that only this user has.
   * @param arn of the role
   */
  assumeRole(arn: string, signal: AbortSignal): Promise<TemporaryKeys>;
  /** What an earlier run found out about the destination's server; undefined where nothing is known. */
  recall(): Promise<Json | undefined>;
  /**
   * Keeps what was found out. Small, and without any secret.
   * @param days how long; some weeks unless said otherwise
   */
  remember(findings: Json, days?: number): Promise<void>;
}
