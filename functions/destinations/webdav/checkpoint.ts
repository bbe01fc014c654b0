import { z } from 'zod';
import type { Json } from '../../core/checkpoint.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { RemoteFile } from '../contract.ts';
import { uploadLost } from './errors.ts';

/** How a file is told from others of its size. */
export interface Mark {
  readonly modified?: string | undefined;
  readonly etag?: string | undefined;
}

const mark = z.strictObject({
  modified: z.string().optional(),
  etag: z.string().optional(),
});
const count = z.int().min(0);

/** What an upload leaves for another process; the names of its files follow from the transfer. */
const schema = z.strictObject({
  v: z.literal(1),
  by: z.enum(['put-range', 'patch', 'chunks', 'whole']),
  /** For `chunks`: whose they are, as the server knows the user. */
  user: z.string().optional(),
  transferId: z.string(),
  /** Bytes of the whole file. */
  size: count,
  partSize: count,
  /** Leading parts that the server has. */
  parts: count,
  /** Once all parts are there: how our file can be told under its final name. */
  ours: mark.optional(),
  /** Once all parts are there: what had the final name before; null for nothing. */
  before: mark.nullable().optional(),
});

export type Saved = z.output<typeof schema>;
export type State = Pick<Saved, 'by' | 'user' | 'parts' | 'ours' | 'before'>;

export function toCheckpoint({ transferId, size }: RemoteFile, plan: PartPlan, state: State): Json {
  const saved: Saved = { v: 1, transferId, size, partSize: plan.partSize, ...state };
  return JSON.parse(JSON.stringify(saved));
}

/** @throws FerryError `upload-lost` where it is not a checkpoint of this very file and plan */
export function readCheckpoint(json: Json, file: RemoteFile, plan: PartPlan): Saved {
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
