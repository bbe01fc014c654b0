import { z } from 'zod';
import { FerryError } from '../../core/errors.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { Json, RemoteFile } from '../contract.ts';

const schema = z.strictObject({
  v: z.literal(1),
  transferId: z.string(),
  partSize: z.number(),
  sessionId: z.string(),
  /** Leading parts that Dropbox had acknowledged; all of them where the session was closed. */
  parts: z.number().int().min(0),
  /** The state of the content hash over those parts. */
  hash: z.string(),
});

export type Saved = z.output<typeof schema>;
export type Progress = Pick<Saved, 'sessionId' | 'parts' | 'hash'>;

export function toCheckpoint(file: RemoteFile, plan: PartPlan, progress: Progress): Json {
  const { transferId } = file;
  return { v: 1, transferId, partSize: plan.partSize, ...progress } satisfies Saved;
}

/** @throws FerryError `upload-lost` where it is of another file, another plan or another version */
export function readCheckpoint(json: Json, file: RemoteFile, plan: PartPlan): Saved {
  const saved = schema.safeParse(json);
  const isOurs =
    saved.success &&
    saved.data.transferId === file.transferId &&
    saved.data.partSize === plan.partSize &&
    saved.data.parts <= plan.count;
  if (isOurs) return saved.data;
  throw uploadLost('the checkpoint is not of this file');
}

export function uploadLost(reason: string): FerryError {
  return new FerryError(
    'upload-lost',
    `The unfinished file at Dropbox cannot be continued: ${reason}. It is started again.`,
    { retry: 'now', scope: 'archive' },
  );
}
