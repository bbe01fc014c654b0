import * as z from 'zod';
import type { PartPlan } from '../../core/parts.ts';
import type { Json, RemoteFile } from '../contract.ts';
import { fieldsOf, readOwn, UPLOAD_FIELDS } from '../upload-checkpoint.ts';

/** All parts count as there only where the session was closed. */
const schema = z.strictObject({
  ...UPLOAD_FIELDS,
  sessionId: z.string(),
  /** The state of the content hash over those parts. */
  hash: z.string(),
});

export type Saved = z.output<typeof schema>;
export type Progress = Pick<Saved, 'sessionId' | 'parts' | 'hash'>;

export function toCheckpoint(file: RemoteFile, plan: PartPlan, progress: Progress): Json {
  return { ...fieldsOf(file, plan, progress.parts), ...progress };
}

/** @throws FerryError `upload-lost` where it is of another file, another plan or another version */
export function readCheckpoint(json: Json, file: RemoteFile, plan: PartPlan): Saved {
  return readOwn(schema, json, file, plan);
}
