import * as z from 'zod';
import { FerryError } from '../core/errors.ts';
import type { PartPlan } from '../core/parts.ts';
import type { Json, RemoteFile } from './contract.ts';

const count = z.int().min(0);

/** What a checkpoint of any driver begins with: of which file it is, and how far that is. */
export const UPLOAD_FIELDS = {
  v: z.literal(1),
  transferId: z.string(),
  /** Bytes of the whole file. */
  size: count,
  partSize: count,
  /** How many leading parts the destination had for certain. */
  parts: count,
};

type UploadFields = z.output<z.ZodObject<typeof UPLOAD_FIELDS>>;

/** These fields for a file. */
export function fieldsOf(file: RemoteFile, plan: PartPlan, parts: number): UploadFields {
  const { transferId, size } = file;
  return { v: 1, transferId, size, partSize: plan.partSize, parts };
}

/** @throws FerryError `upload-lost` where it is not a checkpoint of this very file and plan */
export function readOwn<Saved extends UploadFields>(
  schema: z.ZodType<Saved>,
  json: Json,
  file: RemoteFile,
  plan: PartPlan,
): Saved {
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

/** The error after which the engine begins the upload anew. */
export function uploadLost(why: string): FerryError {
  return new FerryError(
    'upload-lost',
    `What was sent so far cannot be continued: ${why}. The transfer begins anew.`,
    { retry: 'now', scope: 'archive' },
  );
}
