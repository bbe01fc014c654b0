import { z } from 'zod';
import type { Json } from '../../core/checkpoint.ts';
import { FerryError } from '../../core/errors.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { RemoteFile } from '../contract.ts';

/** What an upload leaves for another process. The temporary file's name follows from the transfer. */
export interface SshCheckpoint {
  readonly v: 1;
  readonly transferId: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly partSize: number;
  /** How many leading parts are on the server's disk. */
  readonly parts: number;
  /**
   * Once all parts are there: when the server says the temporary file was written last, seconds since
   * the epoch. A rename keeps it, so it tells our file under the final name from an older one.
   */
  readonly modified: number | null;
}

const count = z.int().min(0);
const schema = z.strictObject({
  v: z.literal(1),
  transferId: z.string(),
  size: count,
  partSize: count,
  parts: count,
  modified: z.number().nullable(),
});

export function toJson(checkpoint: SshCheckpoint): Json {
  return { ...checkpoint };
}

/** @throws FerryError `upload-lost` where it is not a checkpoint of this very file and plan */
export function readCheckpoint(json: Json, file: RemoteFile, plan: PartPlan): SshCheckpoint {
  const { success, data } = schema.safeParse(json);
  if (
    success &&
    data.transferId === file.transferId &&
    data.size === file.size &&
    data.partSize === plan.partSize &&
    data.parts <= plan.count
  ) {
    return data;
  }
  throw uploadLost('the saved state is not of this transfer');
}

export function uploadLost(why: string): FerryError {
  return new FerryError(
    'upload-lost',
    `What was sent so far cannot be continued: ${why}. The transfer begins anew.`,
    { retry: 'now', scope: 'archive' },
  );
}
