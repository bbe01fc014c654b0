import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Proof } from '../../../functions/core/receipt.ts';
import { NEVER } from '../../../functions/core/stopping.ts';
import type { Destination, RemoteFile, Upload } from '../../../functions/destinations/contract.ts';
import type { Invocation } from '../cloud/environment.ts';
import { besideUploads, leading } from './common.ts';
import { damaged, type Line, openLine, shortWrite, uploadLost } from './line.ts';
import { openS3Bucket } from './s3-bucket.ts';
import { openShelf, type Server, type ServerSite } from './server.ts';

const saved = z.strictObject({
  transferId: z.string(),
  partSize: z.number(),
  id: z.string(),
  etags: z.array(z.string()),
});

/** A bucket of S3, and how the driver goes about it. */
export function openS3Server(site: ServerSite): Server {
  const { condition, part: preferred } = site;
  const shelf = openShelf(site);
  const bucket = openS3Bucket(site, shelf);

  const prove = async (line: Line, { path, size }: RemoteFile, signal: AbortSignal) => {
    const found = await line.ask(`head ${path}`, () => shelf.files.get(path), { signal });
    if (found?.bytes.length === size) return proofOf(path, size, found.etag);
    throw damaged('later');
  };
  const isOurs = async (line: Line, file: RemoteFile, signal: AbortSignal) => {
    const found = await line.ask(`head ${file.path}`, () => shelf.files.get(file.path), { signal });
    return found?.mark === file.transferId && found.bytes.length === file.size;
  };

  /** What was begun and could not be told of has no part. */
  const endAbandoned = async (line: Line, path: string, signal = NEVER) => {
    try {
      const list = () => bucket.listEmptyUploads(path);
      for (const id of await line.ask(`list uploads of ${path}`, list, { signal })) {
        await line.ask(`abort ${id}`, () => bucket.abort(id), { signal });
      }
    } catch {
      // As the driver has it: it is no reason to fail.
    }
  };

  const single = (line: Line, file: RemoteFile, count: number, by: Invocation): Upload => {
    let kept = count === 0 ? Buffer.alloc(0) : undefined;
    let sent = false;
    return {
      held: 0,
      async writePart({ bytes }) {
        kept = Buffer.from(bytes);
      },
      checkpoint: async () => undefined,
      async finish(_digest, signal) {
        const body = kept;
        if (!sent) {
          if (body?.length !== file.size) throw shortWrite();
          const effect = () => bucket.put(file.path, body, file.transferId, by);
          const how = { signal, bytes: body.length, writes: true };
          await line.ask(`put ${file.path}`, effect, how);
          sent = true;
        }
        return prove(line, file, signal);
      },
      async abort() {
        kept = undefined;
      },
    };
  };

  const multipart = (
    line: Line,
    file: RemoteFile,
    plan: { count: number; partSize: number },
    state: { id: string; etags: readonly string[]; published: boolean },
    by: Invocation,
  ): Upload => {
    const { id } = state;
    const { path, transferId, size } = file;
    const taken = new Map(state.etags.entries());
    let { published } = state;
    const known = () => Array.from({ length: leading(taken) }, (_, n) => taken.get(n) ?? '');
    return {
      held: published ? plan.count : state.etags.length,
      async writePart({ number, bytes }, signal) {
        const body = Buffer.from(bytes);
        const etag = createHash('md5').update(body).digest('hex');
        const effect = () => bucket.putPart(id, number, { bytes: body, etag });
        await line.ask(`part ${number} of ${path}`, effect, {
          signal,
          bytes: body.length,
          writes: true,
        });
        taken.set(number, etag);
      },
      checkpoint: async () => ({ transferId, partSize: plan.partSize, id, etags: known() }),
      async finish(digest, signal) {
        const etags = known();
        if (!published) {
          if (etags.length !== plan.count || digest.size !== size) throw shortWrite();
          try {
            await line.ask(`complete ${path}`, () => bucket.complete(id, etags, by), { signal });
          } catch (thrown) {
            if (!(await isOurs(line, file, signal).catch(() => false))) throw thrown;
          }
        }
        published = true;
        const proof = await prove(line, file, signal);
        await endAbandoned(line, path, signal);
        return proof;
      },
      async abort() {
        await line.ask(`abort ${path}`, () => bucket.abort(id));
        await endAbandoned(line, path);
      },
    };
  };

  const connect = (invocation: Invocation, password: string): Destination => {
    const line = openLine(site, {
      invocation,
      password,
      attempts: 3,
      forget: bucket.forget,
    });
    return {
      ...besideUploads(shelf, line),
      capabilities: async () => ({
        writes: 'any-order',
        part: { min: 1, max: 2 ** 30, preferred, multiple: 1, most: 10_000 },
        parallel: 4,
        resume: 'parts',
        publish: 'atomic',
        proof: 'checksum',
      }),
      async begin(file, plan, signal) {
        if (plan.count <= 1) return single(line, file, plan.count, invocation);
        const create = () => bucket.create(file.path, file.transferId, invocation);
        const id = await line.ask(`create ${file.path}`, create, { signal });
        return multipart(line, file, plan, { id, etags: [], published: false }, invocation);
      },
      async resume(file, plan, checkpoint, signal) {
        const { success, data } = saved.safeParse(checkpoint);
        const fits =
          success && data.transferId === file.transferId && data.partSize === plan.partSize;
        if (!fits) throw uploadLost('its saved state is of another file');
        const { id } = data;
        try {
          const held = await line.ask(`list parts of ${file.path}`, () => bucket.listParts(id), {
            signal,
          });
          const wrong = data.etags.findIndex((etag, number) => held.get(number)?.etag !== etag);
          const etags = wrong < 0 ? data.etags : data.etags.slice(0, wrong);
          return multipart(line, file, plan, { id, etags, published: false }, invocation);
        } catch (thrown) {
          const isGone = !bucket.has(id) && (await isOurs(line, file, signal));
          if (!isGone) throw thrown;
          return multipart(
            line,
            file,
            plan,
            { id, etags: data.etags, published: true },
            invocation,
          );
        }
      },
    };
  };

  return {
    name: site.name,
    kind: 's3',
    shelf,
    condition,
    canResume: true,
    connect,
    leftovers: bucket.leftovers,
  };
}

function proofOf(path: string, size: number, checksum: string): Proof {
  const how = 'the bucket checked every part';
  return { verified: 'checksum', how, remotePath: `s3://bucket/${path}`, size, checksum };
}
