import * as z from 'zod';
import type { Json } from '../../core/checkpoint.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { RemoteFile } from '../contract.ts';
import { fieldsOf, readOwn, UPLOAD_FIELDS } from '../upload-checkpoint.ts';

/** How a file is told from others of its size. */
export interface Mark {
  readonly modified?: string | undefined;
  readonly etag?: string | undefined;
}

const mark = z.strictObject({
  modified: z.string().optional(),
  etag: z.string().optional(),
});

/** What an upload leaves for another process; the names of its files follow from the transfer. */
const schema = z.strictObject({
  ...UPLOAD_FIELDS,
  by: z.enum(['put-range', 'patch', 'chunks', 'whole']),
  /** For `chunks`: whose they are, as the server knows the user. */
  user: z.string().optional(),
  /** Once all parts are there: how our file can be told under its final name. */
  ours: mark.optional(),
  /** Once all parts are there: what had the final name before; null for nothing. */
  before: mark.nullable().optional(),
});

export type Saved = z.output<typeof schema>;
export type State = Pick<Saved, 'by' | 'user' | 'parts' | 'ours' | 'before'>;

export function toCheckpoint(file: RemoteFile, plan: PartPlan, state: State): Json {
  return JSON.parse(JSON.stringify({ ...fieldsOf(file, plan, state.parts), ...state }));
}

/** @throws FerryError `upload-lost` where it is not a checkpoint of this very file and plan */
export function readCheckpoint(json: Json, file: RemoteFile, plan: PartPlan): Saved {
  return readOwn(schema, json, file, plan);
}
