import { z } from 'zod';
import { FerryError } from '../../core/errors.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { Json, RemoteFile } from '../contract.ts';

/** Blocks tell by their ids what they hold, so there is little to remember. */
const schema = z.strictObject({
  v: z.literal(1),
  transferId: z.string(),
  partSize: z.number(),
  /** Leading parts that Azure had acknowledged. */
  parts: z.number(),
});

export type Saved = z.output<typeof schema>;

export function toCheckpoint(file: RemoteFile, plan: PartPlan, parts: number): Json {
  const { transferId } = file;
  return { v: 1, transferId, partSize: plan.partSize, parts } satisfies Saved;
}

/** @throws FerryError `upload-lost` where it is of another file, another plan or another version */
export function readCheckpoint(json: Json, file: RemoteFile, plan: PartPlan): Saved {
  const saved = schema.safeParse(json);
  const isOurs =
    saved.success &&
    saved.data.transferId === file.transferId &&
    saved.data.partSize === plan.partSize;
  if (isOurs) return saved.data;
  throw uploadLost('the checkpoint is not of this file');
}

export function uploadLost(reason: string): FerryError {
  return new FerryError(
    'upload-lost',
    `The unfinished file at Azure cannot be continued: ${reason}. It is started again.`,
    { retry: 'now', scope: 'archive' },
  );
}
