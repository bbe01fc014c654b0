import * as z from 'zod';
import type { PartPlan } from '../../core/parts.ts';
import type { Json, RemoteFile } from '../contract.ts';
import { fieldsOf, readOwn, UPLOAD_FIELDS } from '../upload-checkpoint.ts';

/** Blocks tell by their ids what they hold, so there is nothing more to remember. */
const schema = z.strictObject(UPLOAD_FIELDS);

export function toCheckpoint(file: RemoteFile, plan: PartPlan, parts: number): Json {
  return { ...fieldsOf(file, plan, parts) };
}

/** @throws FerryError `upload-lost` where it is of another file, another plan or another version */
export function readCheckpoint(json: Json, file: RemoteFile, plan: PartPlan) {
  return readOwn(schema, json, file, plan);
}
