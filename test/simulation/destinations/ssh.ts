import { z } from 'zod';
import type { Destination, RemoteFile, Upload } from '../../../functions/destinations/contract.ts';
import type { Invocation } from '../cloud/environment.ts';
import { besideUploads } from './common.ts';
import { damaged, onTheWire, openLine, shortWrite, uploadLost } from './line.ts';
import { openShelf, type Server, type ServerSite } from './server.ts';
import { type Connection, openConnections, prove } from './ssh-connections.ts';
import { type Inode, openSshDisk } from './ssh-disk.ts';

const saved = z.strictObject({
  transferId: z.string(),
  size: z.number(),
  partSize: z.number(),
  parts: z.number(),
  modified: z.number().nullable(),
});

/** Requests of one part that are on their way at once; they arrive in any order. */
const PIECES = 3;

/** A temporary file that grows by writes at offsets and is renamed; the trait: the server can hash. */
export function openSshServer(site: ServerSite): Server {
  const { condition, nature, part: preferred, trait: canHash } = site;
  const shelf = openShelf(site);
  const disk = openSshDisk(nature, shelf);
  let boots = 0;

  const connect = (invocation: Invocation, password: string): Destination => {
    const line = openLine(site, {
      invocation,
      password,
      attempts: 1,
      forget() {
        const [first] = disk.temporary.keys();
        if (first !== undefined) disk.unlink(first);
      },
      reboot() {
        disk.reboot();
        boots += 1;
      },
    });
    const connections = openConnections(line, () => boots);
    const over = connections.ask;

    const openUpload = (
      file: RemoteFile,
      plan: { count: number; partSize: number },
      state: { held: number; modified: number | undefined },
      opened: { connection: Connection; inode: Inode } | undefined,
    ): Upload => {
      const { path, size, transferId } = file;
      const name = temporaryName(file);
      const settled = new Set<number>();
      let prefix = state.held;
      let { modified } = state;
      let open = opened;
      const statTemporary = () => {
        const inode = disk.temporary.get(name);
        return inode && { size: inode.bytes.length, modified: inode.modified };
      };

      return {
        held: state.held,
        async writePart({ number, offset, bytes }, signal) {
          if (!open) throw uploadLost('the file was closed');
          const { connection, inode } = open;
          const body = Buffer.from(bytes);
          const length = Math.ceil(body.length / PIECES);
          const send = (at: number) => {
            const piece = body.subarray(at, at + length);
            const effect = () => {
              // Without a hash on the server nothing is said to happen to what SSH carries.
              const arrived = canHash ? onTheWire(site, piece) : piece;
              disk.write(inode, offset + at, arrived);
            };
            const how = { signal, bytes: piece.length, writes: true };
            return over(connection, `write ${path} at ${offset + at}`, effect, how);
          };
          const pieces = Array.from({ length: Math.ceil(body.length / length) }, (_, n) => n);
          await Promise.all(pieces.map((n) => send(n * length)));
          settled.add(number);
          while (settled.delete(prefix)) prefix += 1;
        },
        async checkpoint() {
          const parts = prefix;
          if (open) {
            const { connection, inode } = open;
            await over(connection, `fsync ${path}`, () => disk.sync(inode));
            if (parts === plan.count) {
              const stat = await over(connection, `stat ${name}`, statTemporary);
              modified = stat?.modified;
            }
          }
          const known = parts === plan.count ? (modified ?? null) : null;
          return { transferId, size, partSize: plan.partSize, parts, modified: known };
        },
        async finish(digest, signal) {
          const connection = open?.connection ?? connections.current();
          const temporary = await over(connection, `stat ${name}`, statTemporary, { signal });
          if (!temporary) {
            const look = () => shelf.files.get(path);
            const final = await over(connection, `stat ${path}`, look, { signal });
            if (final?.bytes.length !== size || final.modified !== modified) {
              throw uploadLost('the server does not have it any more');
            }
            const bytes = () => shelf.files.get(path)?.bytes;
            const proof = await prove(connections, connection, {
              ...{ canHash, file, digest, signal },
              look: bytes,
            });
            if (!proof) throw uploadLost('another file has taken its place');
            return proof;
          }
          if (prefix < plan.count || temporary.size !== size) throw shortWrite();
          const inode = open?.inode;
          if (inode) await over(connection, `fsync ${path}`, () => disk.sync(inode), { signal });
          open = undefined;
          modified = temporary.modified;
          const bytes = () => disk.temporary.get(name)?.bytes;
          const proof = await prove(connections, connection, {
            ...{ canHash, file, digest, signal },
            look: bytes,
          });
          if (!proof) {
            await over(connection, `unlink ${name}`, () => disk.unlink(name), { signal });
            throw damaged('now');
          }
          const rename = () => disk.rename(name, path, invocation);
          const isThere = await over(connection, `rename ${name}`, rename, { signal });
          if (!isThere) throw uploadLost('the temporary file is gone');
          return proof;
        },
        async abort() {
          open = undefined;
          await over(connections.current(), `unlink ${name}`, () => disk.unlink(name));
        },
      };
    };

    return {
      ...besideUploads(shelf, line),
      capabilities: async () => ({
        writes: 'append',
        part: { min: 1, max: 2 ** 30, preferred, multiple: 1, most: 2 ** 30 },
        parallel: 2,
        resume: 'parts',
        publish: 'rename',
        proof: canHash ? 'checksum' : 'size',
      }),
      async begin(file, plan, signal) {
        const connection = connections.current();
        const name = temporaryName(file);
        const create = () => disk.open(name, 'w', invocation);
        const inode = await over(connection, `create ${name}`, create, { signal, writes: true });
        const opened = inode && { connection, inode };
        return openUpload(file, plan, { held: 0, modified: undefined }, opened);
      },
      async resume(file, plan, checkpoint, signal) {
        const { success, data } = saved.safeParse(checkpoint);
        const { path, size, transferId } = file;
        const fits = success && data.transferId === transferId && data.partSize === plan.partSize;
        if (!fits) throw uploadLost('its saved state is of another file');
        const connection = connections.current();
        const name = temporaryName(file);
        const modified = data.modified ?? undefined;
        const stat = () => disk.temporary.get(name)?.bytes.length;
        const found = await over(connection, `stat ${name}`, stat, { signal });
        if (found === undefined) {
          const look = () => shelf.files.get(path);
          const final = await over(connection, `stat ${path}`, look, { signal });
          const isOurs = final?.bytes.length === size && final.modified === modified;
          if (!isOurs) throw uploadLost('the server does not have it any more');
          return openUpload(file, plan, { held: plan.count, modified }, undefined);
        }
        if (found > size) throw uploadLost('the server has more than was sent');
        const held =
          found === size ? data.parts : Math.min(data.parts, Math.floor(found / plan.partSize));
        const open = () => disk.open(name, 'r+', invocation);
        const inode = await over(connection, `open ${name}`, open, { signal });
        if (!inode) throw uploadLost('the temporary file is gone');
        return openUpload(file, plan, { held, modified }, { connection, inode });
      },
    };
  };

  return {
    name: site.name,
    kind: 'ssh',
    shelf,
    condition,
    canResume: true,
    connect,
    leftovers: disk.leftovers,
  };
}

/** Beside the final place, and named after the transfer. */
function temporaryName({ path, transferId }: RemoteFile): string {
  return `.${path}.${transferId}.part`;
}
