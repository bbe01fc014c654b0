import { MiB, type PartPlan, partRange } from '../../functions/core/parts.ts';
import type { Proof } from '../../functions/core/receipt.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { Destination, RemoteFile, Upload } from '../../functions/destinations/contract.ts';
import { digestOf, sampleBytes } from './sample.ts';

/** A file of four parts, the last of them short. */
export const BYTES = sampleBytes(3 * MiB + 777, 'webdav');
export const PLAN: PartPlan = { size: BYTES.length, partSize: MiB, count: 4 };
export const FILE: RemoteFile = {
  path: 'html/site one.tar',
  size: BYTES.length,
  transferId: '0123456789abcdef',
};

export async function writePart(upload: Upload, number: number, signal = NEVER): Promise<void> {
  const range = partRange(PLAN, number);
  const bytes = BYTES.subarray(range.offset, range.offset + range.length);
  await upload.writePart({ ...range, bytes }, signal);
}

/** All of the sample but its name: what is left is to finish. */
export async function sendSample(destination: Destination, file = FILE): Promise<Upload> {
  const upload = await destination.begin(file, PLAN, NEVER);
  for (let number = 0; number < PLAN.count; number++) await writePart(upload, number);
  return upload;
}

export async function deliverSample(destination: Destination, file = FILE): Promise<Proof> {
  return (await sendSample(destination, file)).finish(digestOf(BYTES), NEVER);
}
