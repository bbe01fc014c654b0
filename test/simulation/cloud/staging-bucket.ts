import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Invocation, Nature } from './environment.ts';
import { ask, type Service, type Trouble } from './request.ts';

/** One content of a key. */
export interface Version {
  readonly key: string;
  /** Counts up over all contents that the key ever had. */
  readonly number: number;
  readonly id: string;
  readonly etag: string;
  readonly bytes: Buffer;
  /** CRC-32 as S3 stored it with the object; wrong for an archive that was damaged. */
  readonly crc32: number | undefined;
}

/** The staging bucket, with every content it ever had. */
export interface StagingBucket {
  /** What is staged now. */
  readonly current: ReadonlyMap<string, Version>;
  /** Every content that a key ever had, oldest first. */
  history(key: string): readonly Version[];
  /** Who has read something else of a key than what is there. */
  misreaders(key: string): readonly Invocation[];
  put(key: string, bytes: Buffer, how: { stored: 'crc32' | 'nothing'; damaged: boolean }): void;
  delete(key: string): void;
  connect(invocation: Invocation): S3Client;
}

const BASE = new S3Client({ region: 'nowhere' });
const PAGE = 3;

interface Traits {
  /** Replaced and deleted contents can still be read by their version. */
  readonly versioned: boolean;
  /** Now and then a read gives another bit. */
  readonly flips: boolean;
}

export function openStagingBucket(nature: Nature, { versioned, flips }: Traits): StagingBucket {
  const { faults, random } = nature;
  const service: Service = { name: 'staging', ms: [10, 400], attempts: 2 };
  const current = new Map<string, Version>();
  const everything = new Map<string, Version[]>();
  const misread = new Map<string, readonly Invocation[]>();
  const historyOf = (key: string) => everything.get(key) ?? [];

  const find = (Key = '', VersionId?: string): Version => {
    const found =
      VersionId === undefined
        ? current.get(Key)
        : historyOf(Key).find(({ id }) => id === VersionId);
    if (!found) throw refusal('NoSuchKey', 404);
    return found;
  };
  const list = ({ Prefix = '', ContinuationToken = '' }: ListObjectsV2Command['input']) => {
    const keys = [...current.keys()].filter((key) => key.startsWith(Prefix)).sort();
    const after = keys.filter((key) => key > ContinuationToken);
    const page = after.slice(0, PAGE);
    const Contents = page.map((key) => {
      const { etag: ETag, bytes } = find(key);
      return { Key: key, ETag, Size: bytes.length };
    });
    const more = after.length > page.length;
    return {
      Contents,
      IsTruncated: more,
      NextContinuationToken: more ? page.at(-1) : undefined,
    };
  };
  const head = ({ Key }: HeadObjectCommand['input']) => {
    const { etag: ETag, bytes, crc32: sum, id } = find(Key);
    const ChecksumCRC32 = sum === undefined ? undefined : encode(sum);
    const VersionId = versioned ? id : undefined;
    const ChecksumType = sum === undefined ? undefined : 'FULL_OBJECT';
    return { ETag, ContentLength: bytes.length, VersionId, ChecksumType, ChecksumCRC32 };
  };
  const get = (
    { Key = '', VersionId, IfMatch, Range }: GetObjectCommand['input'],
    by: Invocation,
  ) => {
    const { bytes, etag: ETag, crc32: sum } = find(Key, VersionId);
    if (IfMatch !== undefined && IfMatch !== ETag) throw refusal('PreconditionFailed', 412);
    const [from = 0, to = 0] =
      /^bytes=(\d+)-(\d+)$/
        .exec(Range ?? '')
        ?.slice(1)
        .map(Number) ?? [];
    const body = Buffer.from(bytes.subarray(from, to + 1));
    // Without a checksum to find it, nothing is said to happen to what TLS carries.
    if (flips && sum !== undefined && faults.strikes('flip')) {
      body[0] = (body[0] ?? 0) ^ 1;
      misread.set(Key, [...(misread.get(Key) ?? []), by]);
    }
    const broken = faults.strikes('cut') ? random.between(0, body.length - 1) : undefined;
    const Body = streamOf(body, broken);
    return { Body, ETag, ContentRange: `bytes ${from}-${to}/${bytes.length}` };
  };
  const answer = (command: unknown, by: Invocation): unknown => {
    if (command instanceof ListObjectsV2Command) return list(command.input);
    if (command instanceof HeadObjectCommand) return head(command.input);
    if (command instanceof GetObjectCommand) return get(command.input, by);
    throw new Error('No such request is known of the bucket.');
  };

  return {
    current,
    history: historyOf,
    misreaders: (key) => misread.get(key) ?? [],
    put(key, bytes, { stored, damaged }) {
      const versions = historyOf(key);
      const number = versions.length + 1;
      const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
      const sum = stored === 'nothing' ? undefined : (crc32(bytes) ^ (damaged ? 1 : 0)) >>> 0;
      const version = { key, number, id: `v${number}`, etag, bytes, crc32: sum };
      everything.set(key, [...versions, version]);
      current.set(key, version);
      nature.history.note('panel', `stages ${key} v${number}`, bytes.length, damaged);
    },
    delete(key) {
      current.delete(key);
      nature.history.note('panel', `deletes ${key}`);
    },
    connect(invocation) {
      const send = (command: object, options?: { abortSignal?: AbortSignal }) =>
        ask(nature, invocation, {
          service,
          what: command.constructor.name.replace('Command', ''),
          signal: options?.abortSignal,
          effect: () => answer(command, invocation),
          explain,
        });
      return Object.create(BASE, { send: { value: send } });
    },
  };
}

/** @param broken after how many bytes the body breaks */
function streamOf(bytes: Buffer, broken: number | undefined): Readable {
  return new Readable({
    read() {
      this.push(bytes.subarray(0, broken));
      if (broken === undefined) this.push(null);
      else this.destroy(Object.assign(new Error('The body broke'), { code: 'ECONNRESET' }));
    },
  });
}

function encode(sum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
}

function refusal(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}

function explain(trouble: Trouble): Error {
  if (trouble === 'throttled') return refusal('SlowDown', 503);
  return Object.assign(new Error('No answer'), { code: 'ECONNRESET' });
}
