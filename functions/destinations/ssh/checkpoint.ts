import * as z from 'zod';
import type { PartPlan } from '../../core/parts.ts';
import type { Json, RemoteFile } from '../contract.ts';
import { fieldsOf, readOwn, UPLOAD_FIELDS } from '../upload-checkpoint.ts';

/** The temporary file's name follows from the transfer; its parts are on the server's disk. */
const schema = z.strictObject({
  ...UPLOAD_FIELDS,
  /**
   * Once all parts are there: when the server says the temporary file was written last, seconds since
   * the epoch. A rename keeps it, so it tells our file under the final name from an older one.
   */
  modified: z.number().nullable(),
});

type Saved = z.output<typeof schema>;

export function toCheckpoint(
  file: RemoteFile,
  plan: PartPlan,
  { parts, modified }: Pick<Saved, 'parts' | 'modified'>,
): Json {
  return { ...fieldsOf(file, plan, parts), modified };
}

/** @throws FerryError `upload-lost` where it is not a checkpoint of this very file and plan */
export function readCheckpoint(json: Json, file: RemoteFile, plan: PartPlan): Saved {
  return readOwn(schema, json, file, plan);
}
