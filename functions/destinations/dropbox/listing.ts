import type { RemoteStat } from '../contract.ts';
import type { Account } from './client.ts';
import { fromApiPath } from './names.ts';
import { readRefusal, says } from './refusals.ts';
import { listPage } from './results.ts';

const NO_ENTRIES = { entries: [], cursor: '', has_more: false };

/** Every file below a folder, at any depth; none where the folder does not exist. */
export async function* listFiles(
  account: Account,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<RemoteStat> {
  let cursor: string | undefined;
  do {
    const page = await readPage(account, prefix, cursor, signal);
    for (const entry of page.entries) {
      if (entry['.tag'] !== 'file') continue;
      const path = fromApiPath(account.settings.folder, entry.path_display);
      yield { path, size: entry.size, modifiedAt: entry.server_modified };
    }
    cursor = page.has_more ? page.cursor : undefined;
  } while (cursor !== undefined);
}

async function readPage(
  account: Account,
  prefix: string,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  return account.call(signal, async (client, options) => {
    try {
      const { result } =
        cursor === undefined
          ? await client.filesListFolder({ path: account.pathOf(prefix), recursive: true }, options)
          : await client.filesListFolderContinue({ cursor }, options);
      return listPage.parse(result);
    } catch (thrown) {
      if (!says(readRefusal(thrown), 'path', 'not_found')) throw thrown;
      return NO_ENTRIES;
    }
  });
}
