import type { Invocation, Nature } from '../cloud/environment.ts';
import { type Leftover, type Shelf, secondsNow } from './server.ts';

/** A file on the disk, which a handle keeps hold of whatever becomes of its name. */
export interface Inode {
  bytes: Buffer;
  /** As it is after a power failure. */
  synced: Buffer;
  modified: number;
  readonly by: Invocation;
}

/** The disk of an SSH server. Temporary names here, final names on the shelf. */
export interface SshDisk {
  readonly temporary: ReadonlyMap<string, Inode>;
  /** Opens a temporary file; `w` empties it, `r+` does not. */
  open(name: string, flags: 'w' | 'r+', by: Invocation): Inode | undefined;
  write(inode: Inode, offset: number, bytes: Buffer): void;
  sync(inode: Inode): void;
  /** Gives a temporary file its final name. False where it is not there. */
  rename(name: string, path: string, by: Invocation): boolean;
  unlink(name: string): void;
  /** Everything that was not written to the disk is lost. */
  reboot(): void;
  leftovers(): readonly Leftover[];
}

export function openSshDisk(nature: Nature, shelf: Shelf): SshDisk {
  const temporary = new Map<string, Inode>();
  return {
    temporary,
    open(name, flags, by) {
      const found = temporary.get(name);
      if (flags === 'r+' || found) {
        if (found && flags === 'w') {
          found.bytes = Buffer.alloc(0);
          found.modified = secondsNow(nature);
        }
        return found;
      }
      const modified = secondsNow(nature);
      const bytes = Buffer.alloc(0);
      const inode: Inode = { bytes, synced: bytes, modified, by };
      temporary.set(name, inode);
      return inode;
    },
    write(inode, offset, bytes) {
      const size = Math.max(inode.bytes.length, offset + bytes.length);
      // What lies between is a hole: zeros.
      const grown = Buffer.alloc(size);
      inode.bytes.copy(grown);
      bytes.copy(grown, offset);
      inode.bytes = grown;
      inode.modified = secondsNow(nature);
    },
    sync(inode) {
      inode.synced = inode.bytes;
    },
    rename(name, path, by) {
      const inode = temporary.get(name);
      if (!inode) return false;
      temporary.delete(name);
      shelf.publish(path, { bytes: inode.bytes, modified: inode.modified }, by);
      return true;
    },
    unlink(name) {
      temporary.delete(name);
    },
    reboot() {
      for (const inode of temporary.values()) inode.bytes = inode.synced;
    },
    leftovers: () =>
      [...temporary].map(([name, { by }]) => ({
        what: `the temporary file ${name}`,
        by,
        isAllowed: false,
      })),
  };
}
