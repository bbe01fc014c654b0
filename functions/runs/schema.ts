import * as z from 'zod';
import type { Archive } from '../core/archive.ts';
import type { Checkpoint, Json } from '../core/checkpoint.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Digest, Proof, Receipt } from '../core/receipt.ts';

/**
 * Items of the runs table, as they are parsed when read. Fields that are not known here are left out: a
 * newer version has written them before it was rolled back. It may add such as can be ignored, and lost
 * when the item is written again; what means something else gets a new `v`. What does not parse is of
 * such a version or was written by hand: a checkpoint is then dropped, a job record or lease is an error.
 */
const count = z.number().int().nonnegative();
const uint32 = z.number().int().min(0).max(0xffffffff);

const archive: z.ZodType<Archive> = z.object({
  key: z.string(),
  component: z.string(),
  file: z.string(),
  etag: z.string(),
  size: count,
  versionId: z.string().optional(),
  checksum: z.object({ algorithm: z.literal('crc32'), value: uint32 }).optional(),
});

const digest: z.ZodType<Digest> = z.object({
  size: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  crc32: uint32,
});

const proof: z.ZodType<Proof> = z.object({
  verified: z.enum(['checksum', 'readback', 'size']),
  how: z.string(),
  remotePath: z.string(),
  size: count,
  checksum: z.string().optional(),
});

const json: z.ZodType<Json> = z.json();

export const checkpointSchema: z.ZodType<Checkpoint> = z.object({
  v: z.literal(1),
  archive,
  partSize: count.min(1),
  prefix: z.object({ parts: count, crc32: uint32, sha256: z.string().optional() }),
  digest: digest.optional(),
  readBack: z.object({ proof, bytes: count, sha256: z.string().optional() }).optional(),
  upload: json.optional(),
  restarts: count,
  startedAt: count,
});

/** A checkpoint with the fence under which it was written; one that cannot be read counts as none. */
export const checkpointItemSchema = z.object({
  fence: count.optional(),
  data: checkpointSchema.optional().catch(undefined),
});

export const receiptSchema: z.ZodType<Receipt> = z.object({
  v: z.literal(1),
  jobId: z.string(),
  destination: z.string(),
  archive,
  digest,
  proof,
  deliveredAt: z.iso.datetime(),
  durationMs: z.number().nonnegative(),
});

/** A receipt with the fence under which it was written. */
export const receiptItemSchema = z.object({ fence: count, data: receiptSchema });

/** Which content a destination shows under an archive's name, or is about to. */
export const shownItemSchema = z.object({ fence: count, data: z.object({ etag: z.string() }) });

export const jobRecordSchema: z.ZodType<JobRecord> = z.object({
  v: z.literal(1),
  jobId: z.string(),
  state: z.enum(['running', 'succeeded', 'failed', 'skipped']),
  hop: count,
  fence: count,
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  archives: count,
  bytes: count,
  errors: z.array(
    z.object({
      // A code of a newer version is shown as it is; nothing decides on it.
      code: z.custom<ErrorCode>((value) => typeof value === 'string'),
      message: z.string(),
      archive: z.string().optional(),
      etag: z.string().optional(),
    }),
  ),
  deadLetter: z.boolean().optional(),
  reason: z.string().optional(),
  expectedBy: z.iso.datetime().optional(),
  sweeps: count.optional(),
});

export const leaseSchema = z.object({
  jobId: z.string(),
  owner: z.string(),
  fence: count,
  until: count,
});
