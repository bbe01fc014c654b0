import { MiB } from '../../core/parts.ts';
import type { Capabilities, Destination } from '../contract.ts';
import { readBody } from '../http/body.ts';
import type { Surroundings } from '../surroundings.ts';
import { LARGEST_FILE } from './admission.ts';
import { checkAccount } from './check.ts';
import { type Account, openAccount } from './client.ts';
import { BLOCK } from './content-hash.ts';
import { dropboxError } from './errors.ts';
import { listFiles } from './listing.ts';
import { look, remove } from './published.ts';
import type { DropboxSettings } from './settings.ts';
import { beginUpload, resumeUpload } from './upload.ts';

/**
 * A request may have 150 MiB, and the pieces of a concurrent session lie on a grid of 4 MiB
 * (files.stone, `upload_session/start`). There is no limit to how many they are but that of the file.
 */
const PART = {
  min: BLOCK,
  max: 148 * MiB,
  preferred: 16 * MiB,
  multiple: BLOCK,
  most: Math.ceil(LARGEST_FILE / BLOCK),
} as const;

/** A Dropbox, or the one folder of it that an app may see. Nothing is sent before the first call. */
export async function openDropbox(
  settings: DropboxSettings,
  { egress }: Pick<Surroundings, 'egress'>,
): Promise<Destination> {
  const account = openAccount(settings, egress);
  const capabilities: Capabilities = {
    writes: 'any-order',
    part: PART,
    parallel: settings.concurrency,
    resume: 'parts',
    publish: 'atomic',
    composesNames: true,
    foldsCase: true,
    proof: 'checksum',
  };
  return {
    capabilities: async () => capabilities,
    check: (signal) => checkAccount(account, (path) => readFile(account, path, signal), signal),
    begin: (file, plan, signal) => beginUpload(account, file, plan, signal),
    resume: (file, plan, checkpoint, signal) =>
      resumeUpload(account, file, plan, checkpoint, signal),
    async stat(path, signal) {
      const found = await look(account, path, signal);
      if (found === undefined || found === 'folder') return undefined;
      return { path, size: found.size, modifiedAt: found.server_modified };
    },
    list: (prefix, signal) => listFiles(account, prefix, signal),
    read: (path, signal, range) => readFile(account, path, signal, range),
    remove: (path, signal) => remove(account, path, signal),
    close: async () => account.close(),
  };
}

async function* readFile(
  account: Account,
  path: string,
  signal: AbortSignal,
  range?: { readonly from: number; readonly to: number },
): AsyncGenerator<Uint8Array> {
  if (range && range.from >= range.to) return;
  const bytes = range && `bytes=${range.from}-${Number.isFinite(range.to) ? range.to - 1 : ''}`;
  const body = await account.download(path, bytes, signal);
  try {
    yield* readBody(body, signal);
  } catch (thrown) {
    throw dropboxError(thrown, signal);
  }
}
