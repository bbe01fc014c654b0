import * as z from 'zod';
import type { PartPlan } from '../../core/parts.ts';
import type { Json, RemoteFile } from '../contract.ts';
import { packEtags, unpackEtags } from './etags.ts';

/** What an unfinished multipart upload needs in another process. */
export interface MultipartState {
  readonly uploadId: string;
  /** ETags of the leading parts that the destination has acknowledged, in order. */
  readonly etags: readonly string[];
}

const schema = z.strictObject({
  v: z.literal(1),
  transferId: z.string(),
  partSize: z.number(),
  uploadId: z.string().min(1),
  etags: z.union([z.string(), z.array(z.string())]),
});

/** About 22 characters for each part: 220 KB at the 10,000 parts that S3 allows. */
export function writeCheckpoint(file: RemoteFile, plan: PartPlan, state: MultipartState): Json {
  return {
    v: 1,
    transferId: file.transferId,
    partSize: plan.partSize,
    uploadId: state.uploadId,
    etags: packEtags(state.etags),
  };
}

/** Undefined where it is not one of this file and plan. */
export function readCheckpoint(
  file: RemoteFile,
  plan: PartPlan,
  checkpoint: Json,
): MultipartState | undefined {
  const parsed = schema.safeParse(checkpoint);
  if (!parsed.success) return undefined;
  const { transferId, partSize, uploadId, etags } = parsed.data;
  if (transferId !== file.transferId || partSize !== plan.partSize) return undefined;
  const known = unpackEtags(etags);
  return known.length > plan.count ? undefined : { uploadId, etags: known };
}
