import { createHash } from 'node:crypto';
import { keyHash, transferId } from '../../../functions/core/archive.ts';
import { crc32Of } from '../../../functions/core/crc32.ts';
import type { RemoteFile } from '../../../functions/destinations/contract.ts';
import {
  checkpointSchema,
  jobRecordSchema,
  receiptSchema,
  shownItemSchema,
} from '../../../functions/runs/schema.ts';
import type { Invocation, Nature } from '../cloud/environment.ts';
import type { StagingBucket, Version } from '../cloud/staging-bucket.ts';
import type { Table, Write } from '../cloud/tables.ts';
import type { Publication, Server, StoredFile } from '../destinations/server.ts';
import { readKey } from './runs-key.ts';

/** Judges what is sent, published and receipted. */
export interface Deliveries {
  /** A part is sent, one of so many. */
  sent(place: string, file: RemoteFile, part: number, parts: number, jobId: string): void;
  /** An upload is gone on with, of which the destination has `held` leading parts. */
  resumed(place: string, file: RemoteFile, held: number): void;
  published(place: string, publication: Publication): void;
  /** A write to the runs table. */
  written(write: Write): void;
  /** Deliveries with a receipt so far. */
  readonly receipts: number;
  /** Whether parts are in a file that the destination lists and no checkpoint knows. */
  hasUnseenParts(place: string, path: string): boolean;
}

interface Published {
  readonly number: number;
  readonly etag: string | undefined;
  readonly file: StoredFile;
  readonly transferId: string | undefined;
  readonly by: Invocation;
  readonly at: number;
}

/** What a world does not promise. */
export interface Leniency {
  /** Clocks are so wrong that two workers may be at one destination at the same time. */
  readonly wildClocks: boolean;
}

/** No request is under way for longer, in ms. */
const UNDER_WAY_MS = 60_000;
/** Bytes of a checkpoint of a few dozen parts. */
const LARGEST_CHECKPOINT = 6_000;

export function judgeDeliveries(
  nature: Nature,
  { runs, staging }: { readonly runs: Table; readonly staging: StagingBucket },
  servers: ReadonlyMap<string, Server>,
  { wildClocks }: Leniency,
  wants: (userId: string, destination: string, component: string) => boolean,
): Deliveries {
  const { faults, judge, timeline } = nature;
  /** By place and path: the newest content that was published. */
  const newest = new Map<string, Published>();
  const receipts = new Map<string, { readonly at: number; readonly fence: number }>();
  /** How often each part was sent since anything was published; worlds of that kind are small. */
  const sentParts = new Map<string, number>();
  /** Files that were published without a receipt, and let go of as nobody wanted them there any more. */
  const letGo = new Set<string>();
  /** When a run last failed at a place: it takes back whatever it knows to be under way there. */
  const failedAt = new Map<string, number>();
  /** Files with parts that the destination lists and no checkpoint knows: their bytes passed nobody. */
  const unseen = new Set<string>();

  const itemAt = (kind: string, place: string, path: string) => {
    const [userId = '', destination = ''] = place.split('/');
    return runs.items.get(`USER#${userId}|${kind}#${destination}#${keyHash(`${userId}/${path}`)}`);
  };
  const shownAt = (place: string, path: string) =>
    shownItemSchema.safeParse(itemAt('SHOWN', place, path)).data;

  /** A checkpoint is removed. */
  const forgotten = (place: string, data: unknown) => {
    const saved = checkpointSchema.safeParse(data).data;
    if (!saved) return;
    const { component, etag, file, key } = saved.archive;
    const [userId = '', destination = ''] = place.split('/');
    const isStaged = staging.current.get(key)?.etag === etag;
    if (isStaged && wants(userId, destination, component)) return;
    letGo.add(`${place}|${component}/${file}`);
  };

  /** Nobody could note what was sent by a process that died, or what the destination alone tells of. */
  const hasUnseenParts = (place: string, path: string) => {
    const [userId = ''] = place.split('/');
    const readers = staging.misreaders(`${userId}/${path}`);
    const hasDied = readers.some(({ state }) => state === 'crashed' || state === 'timed out');
    return hasDied || unseen.has(`${place}|${path}`);
  };

  return {
    sent(place, file, part, parts, jobId) {
      const last = newest.get(`${place}|${file.path}`);
      const server = servers.get(place);
      const shown = shownAt(place, file.path);
      const isThere =
        last?.transferId === file.transferId &&
        server?.shelf.files.get(file.path) === last.file &&
        // Another content may have been about to take the place.
        shown?.data.etag === last.etag &&
        !wildClocks;
      const receipt = receipts.get(`${place}|${file.transferId}`);
      // Noted once more after the receipt: another content was about to be shown in between.
      const isNewest =
        receipt && receipt.at >= (last?.at ?? 0) && receipt.fence >= (shown?.fence ?? 0);
      if (isThere && isNewest) {
        const seconds = Math.round((timeline.now() - receipt.at) / 1000);
        judge.violate(
          'what has a receipt is not sent again',
          `${jobId} sends ${file.path}, whose receipt is ${seconds} s old`,
        );
      }
      const hasDied = last?.by.state === 'crashed' || last?.by.state === 'timed out';
      const isLetGo =
        letGo.has(`${place}|${file.path}`) || (failedAt.get(place) ?? 0) > (last?.at ?? 0);
      const isKnown = hasDied && !isLetGo;
      if (isThere && isKnown && parts > 1 && server?.canResume) {
        judge.violate(
          'what was published is found again',
          `${jobId} sends ${file.path}, which ${last.by.name} had published`,
        );
      }
      const name = `${place}|${file.transferId}|${part}`;
      const times = (sentParts.get(name) ?? 0) + 1;
      sentParts.set(name, times);
      const [userId = ''] = place.split('/');
      const isSoundAll = staging.history(`${userId}/${file.path}`).every(isSound);
      // An S3 server gets a single part with the request that publishes it.
      const isSent = parts > 1 || server?.kind !== 's3';
      if (faults.calm && server?.canResume && isSoundAll && isSent && times > 1) {
        judge.violate('nothing is sent over and over', `${place} got part ${part} ${times} times`);
      }
    },

    resumed(place, { path }, held) {
      const item = itemAt('CHECKPOINT', place, path);
      const saved = checkpointSchema.safeParse(item?.data).data;
      if (saved && held > saved.prefix.parts) unseen.add(`${place}|${path}`);
    },

    published(place, { path, file, by }) {
      const [userId = ''] = place.split('/');
      const versions = staging.history(`${userId}/${path}`);
      const found = versions.filter(({ bytes }) => bytes.equals(file.bytes));
      const sound = found.filter(isSound);
      const number = sound.at(-1)?.number;
      if (number === undefined && hasUnseenParts(place, path)) return;
      if (number === undefined) {
        const what =
          found.length > 0 ? 'damaged in staging' : `none of ${versions.length} contents`;
        judge.violate('whole files only', `${place} shows ${path}, which is ${what}`);
        return;
      }
      const name = `${place}|${path}`;
      const before = newest.get(name);
      if (before && before.number > number && !wildClocks) {
        judge.violate(
          'no older content after a newer one',
          `${place} got ${path} v${number} after v${before.number}`,
        );
      }
      sentParts.clear();
      letGo.delete(name);
      const [, destination = ''] = place.split('/');
      const version = sound.at(-1);
      const [component = '', ...rest] = path.split('/');
      const archive = version && { ...version, component, file: rest.join('/') };
      const size = file.bytes.length;
      newest.set(name, {
        ...{ number, by, file, at: timeline.now(), etag: version?.etag },
        transferId: archive && transferId(userId, destination, { ...archive, size }),
      });
    },

    written(write) {
      const { kind, place } = readKey(write.key);
      const data = write.after?.data;
      if (kind === 'CHECKPOINT' && data !== undefined) {
        const text = JSON.stringify(checkpointSchema.parse(data));
        if (text.length > LARGEST_CHECKPOINT) {
          judge.violate('small checkpoints', `a checkpoint has ${text.length} characters`);
        }
      }
      if (kind === 'CHECKPOINT' && data === undefined) {
        forgotten(place, write.before?.data);
      }
      if (kind === 'JOB' && data !== undefined && jobRecordSchema.parse(data).state === 'failed') {
        failedAt.set(place, timeline.now());
      }
      if (kind !== 'RECEIPT' || data === undefined) return;
      const receipt = receiptSchema.parse(data);
      const { archive, digest } = receipt;
      const [userId = '', destination = ''] = place.split('/');
      const fence = Number(write.after?.fence);
      receipts.set(`${place}|${transferId(userId, destination, archive)}`, {
        at: timeline.now(),
        fence,
      });
      const version = staging.history(archive.key).find(({ etag }) => etag === archive.etag);
      const path = `${archive.component}/${archive.file}`;
      const file = servers.get(place)?.shelf.files.get(path);
      const last = newest.get(`${place}|${path}`);
      const isDisturbed =
        wildClocks && last?.by !== write.by && timeline.now() - (last?.at ?? 0) < UNDER_WAY_MS;
      const isExcused = isDisturbed || hasUnseenParts(place, path);
      if (!version || (!file?.bytes.equals(version.bytes) && !isExcused)) {
        judge.violate(
          'a receipt is true',
          `${place} has a receipt for ${path} ${archive.etag} and ${file ? 'another file' : 'no file'}`,
        );
      } else if (digest.sha256 !== createHash('sha256').update(version.bytes).digest('hex')) {
        judge.violate('a receipt is true', `the receipt for ${path} has another SHA-256`);
      }
    },

    hasUnseenParts,
    get receipts() {
      return receipts.size;
    },
  };
}

/** Whether staging says of a content what it is. */
export function isSound({ bytes, crc32 }: Version): boolean {
  return crc32 === undefined || crc32Of(bytes) === crc32;
}

/** The key of the receipt that a version has at a place. */
export function receiptKey(place: string, { key, etag }: Version): string {
  const [userId = '', destination = ''] = place.split('/');
  return `USER#${userId}|RECEIPT#${destination}#${keyHash(key)}#${etag}`;
}
