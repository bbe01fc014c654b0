import * as z from 'zod';
import { FerryError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';

const amount = z.union([z.number(), z.bigint()]).transform(Number);
const disk = z.object({ f_frsize: amount, f_bavail: amount });

/**
 * Bytes that the user may still write where a folder is (statvfs@openssh.com, OpenSSH's PROTOCOL, 4.4);
 * undefined where the server does not tell.
 */
export async function roomIn(
  connection: Connection,
  folder: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const told = await connection.ask<unknown>(
      (sftp, answer) => sftp.ext_openssh_statvfs(folder, answer),
      signal,
    );
    const { data } = disk.safeParse(told);
    return data && data.f_frsize * data.f_bavail;
  } catch (error) {
    // The connection is lost or the work called off; all else is an answer without a number.
    if (error instanceof FerryError) throw error;
    return undefined;
  }
}
