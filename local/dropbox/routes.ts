import { rm } from 'node:fs/promises';
import { z } from 'zod';
import * as given from './arguments.ts';
import { contentHash, contentHashOfFile } from './content-hash.ts';
import { keyOf, nameProblem, storedPath } from './names.ts';
import type { Grant } from './oauth.ts';
import { badRequest, Refusal, routeError, uploadFailed } from './refusal.ts';
import type { Cursor, openSessions } from './sessions.ts';
import type { Content, Entry, StoredFile } from './tree.ts';

/** What a route works with. */
export interface Call {
  readonly grant: Grant;
  readonly sessions: ReturnType<typeof openSessions>;
  /** Entries on one page of a list where the caller does not say how many. */
  readonly listPage: number;
  /** What came with an upload. */
  readonly body: Buffer;
}

export interface Answer {
  readonly result: object | null;
  /** What a download gives. */
  readonly file?: StoredFile;
}

export interface Route {
  readonly style: 'rpc' | 'upload' | 'download';
  readonly scope: string;
  /** Its arguments; none for a route without any. */
  readonly argument?: z.ZodObject;
  answer(call: Call, argument: unknown): Promise<Answer>;
}

function route<Argument extends z.ZodObject>(
  style: Route['style'],
  scope: string,
  argument: Argument,
  answer: (call: Call, argument: z.output<Argument>) => Promise<Answer>,
): Route {
  return { style, scope, argument, answer: (call, value) => answer(call, argument.parse(value)) };
}

/** An app that has one folder alone calls it its root. */
function rootOf({ app }: Grant): string {
  return app.access === 'app-folder' ? `/Apps/${app.name}` : '';
}

function metadata({ grant }: Call, entry: Entry): object {
  const path = entry.path.slice(rootOf(grant).length);
  const named = {
    '.tag': entry.kind,
    name: entry.path.slice(entry.path.lastIndexOf('/') + 1),
    path_lower: keyOf(path),
    path_display: path,
    id: entry.id,
  };
  if (entry.kind === 'folder') return named;
  // Timestamps have no fractions: common.stone, DropboxTimestamp.
  const at = `${entry.modifiedAt.toISOString().slice(0, 19)}Z`;
  return {
    ...named,
    client_modified: at,
    server_modified: at,
    rev: entry.rev,
    size: entry.size,
    is_downloadable: true,
    content_hash: entry.contentHash,
  };
}

/** The result of a route that gives one kind of entry has no tag. */
function untagged(shown: object): object {
  const { '.tag': _, ...rest } = { '.tag': '', ...shown };
  return rest;
}

function assertIntact({ body }: Call, expected: string | null | undefined): void {
  if (expected && contentHash(body) !== expected) throw routeError(['content_hash_mismatch']);
}

/** @throws Refusal by `refuse`, with the tags of `WriteError` */
function place(
  { grant }: Call,
  { path, mode, autorename, strict_conflict }: given.CommitInfo,
  content: Content,
  refuse: (tags: readonly string[]) => Error,
): StoredFile {
  const { tree, quota } = grant.account;
  const problem = nameProblem(path);
  if (problem) throw refuse([problem]);
  const whole = rootOf(grant) + path;
  const obstacle = tree.obstacle(whole);
  if (obstacle) throw refuse(['conflict', obstacle]);
  const older = tree.find(storedPath(whole));
  const olderSize = older?.kind === 'file' ? older.size : 0;
  if (tree.used - olderSize + content.size > quota) throw refuse(['insufficient_space']);
  if (older?.kind === 'file') {
    const isSame = older.contentHash === content.contentHash && older.size === content.size;
    if (isSame && !strict_conflict) return older;
    const isMeant = mode === 'overwrite' || (mode !== 'add' && mode.update === older.rev);
    if (!isMeant && !autorename) throw refuse(['conflict', 'file']);
    if (!isMeant)
      return tree.put(
        freeName(whole, (name) => tree.find(name) === undefined),
        content,
      );
  }
  return tree.put(whole, content);
}

/** Makes a file of what a session holds. @throws Refusal by `refuse`, with the tags of `WriteError` */
async function commit(
  call: Call,
  cursor: Cursor,
  info: given.CommitInfo,
  refuse: (tags: readonly string[]) => Error,
): Promise<StoredFile> {
  const { sessions, grant, body } = call;
  const { path: blob, size } = await sessions.complete(grant.account.id, cursor, body);
  const content = { blob, size, contentHash: await contentHashOfFile(blob) };
  const file = place(call, info, content, refuse);
  if (file.blob !== blob) await rm(blob, { force: true });
  sessions.committed(cursor);
  return file;
}

/** The union inside a refusal. @throws what is none */
function failureOf(thrown: unknown): object {
  if (!(thrown instanceof Refusal)) throw thrown;
  return z.object({ error: z.looseObject({}) }).parse(thrown.body).error;
}

/** `name (1).ext`, as `autorename` makes it. */
function freeName(path: string, isFree: (path: string) => boolean): string {
  const dot = path.lastIndexOf('.');
  const at = dot > path.lastIndexOf('/') + 1 ? dot : path.length;
  for (let n = 1; ; n++) {
    const name = `${path.slice(0, at)} (${n})${path.slice(at)}`;
    if (isFree(name)) return name;
  }
}

/** @throws Refusal `not_found`, or `malformed_path` */
function lookUp({ grant }: Call, path: string, outer: readonly string[]): Entry {
  const problem = nameProblem(path);
  if (problem === 'malformed_path') throw routeError([...outer, problem]);
  const found = grant.account.tree.find(rootOf(grant) + path);
  if (found) return found;
  throw routeError([...outer, 'not_found']);
}

const position = z.strictObject({
  path: z.string(),
  recursive: z.boolean(),
  limit: z.number(),
  after: z.string(),
});

function listPage(
  call: Call,
  { path, recursive, limit, after }: z.output<typeof position>,
): Answer {
  const { tree } = call.grant.account;
  const depth = path.split('/').length;
  const rest = tree
    .below(path)
    .filter(([key]) => (recursive || key.split('/').length === depth + 1) && key > after);
  const page = rest.slice(0, limit);
  const next = { path, recursive, limit, after: page.at(-1)?.[0] ?? after };
  return {
    result: {
      entries: page.map(([, entry]) => metadata(call, entry)),
      cursor: Buffer.from(JSON.stringify(next)).toString('base64url'),
      has_more: rest.length > page.length,
    },
  };
}

/** Every route that the fake has, as files.stone of github.com/dropbox/dropbox-api-spec describes it. */
export const ROUTES: Readonly<Record<string, Route>> = {
  'files/upload': route('upload', 'files.content.write', given.upload, async (call, argument) => {
    assertIntact(call, argument.content_hash);
    const owner = call.grant.account.id;
    const session_id = await call.sessions.start(owner, 'sequential', call.body, true);
    const cursor = { session_id, offset: call.body.length };
    const file = await commit({ ...call, body: Buffer.alloc(0) }, cursor, argument, (tags) =>
      uploadFailed(tags, session_id),
    );
    return { result: untagged(metadata(call, file)) };
  }),

  'files/upload_session/start': route(
    'upload',
    'files.content.write',
    given.sessionStart,
    async (call, { close, session_type, content_hash }) => {
      assertIntact(call, content_hash);
      const owner = call.grant.account.id;
      const type = session_type ?? 'sequential';
      const session_id = await call.sessions.start(owner, type, call.body, close);
      return { result: { session_id } };
    },
  ),

  'files/upload_session/append_v2': route(
    'upload',
    'files.content.write',
    given.sessionAppend,
    async (call, { cursor, close, content_hash }) => {
      assertIntact(call, content_hash);
      await call.sessions.append(call.grant.account.id, cursor, call.body, close);
      return { result: null };
    },
  ),

  'files/upload_session/finish': route(
    'upload',
    'files.content.write',
    given.sessionFinish,
    async (call, argument) => {
      assertIntact(call, argument.content_hash);
      const { cursor } = argument;
      const file = await commit(call, cursor, argument.commit, (tags) =>
        routeError(['path', ...tags]),
      );
      return { result: untagged(metadata(call, file)) };
    },
  ),

  /** What rclone finishes with; one entry's trouble is its own. */
  'files/upload_session/finish_batch_v2': route(
    'rpc',
    'files.content.write',
    given.sessionFinishBatch,
    async (call, { entries }) => {
      const finished: object[] = [];
      for (const { cursor, commit: info } of entries) {
        const withoutBody = { ...call, body: Buffer.alloc(0) };
        finished.push(
          await commit(withoutBody, cursor, info, (tags) => routeError(['path', ...tags])).then(
            (file) => ({ ...metadata(call, file), '.tag': 'success' }),
            (thrown: unknown) => ({ '.tag': 'failure', failure: failureOf(thrown) }),
          ),
        );
      }
      return { result: { entries: finished } };
    },
  ),

  'files/get_metadata': route(
    'rpc',
    'files.metadata.read',
    given.getMetadata,
    async (call, { path }) => ({ result: metadata(call, lookUp(call, path, ['path'])) }),
  ),

  'files/list_folder': route(
    'rpc',
    'files.metadata.read',
    given.listFolder,
    async (call, { path, recursive, limit }) => {
      if (path === '/') {
        const text = 'Specify the root folder as an empty string rather than as "/".';
        throw badRequest('files/list_folder', `request body: path: ${text}`);
      }
      if (path !== '' && lookUp(call, path, ['path']).kind !== 'folder') {
        throw routeError(['path', 'not_folder']);
      }
      const whole = rootOf(call.grant) + path;
      return listPage(call, { path: whole, recursive, limit: limit ?? call.listPage, after: '' });
    },
  ),

  'files/list_folder/continue': route(
    'rpc',
    'files.metadata.read',
    given.listFolderContinue,
    async (call, { cursor }) => {
      const read = () => position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
      try {
        return listPage(call, read());
      } catch {
        throw routeError(['reset']);
      }
    },
  ),

  'files/download': route(
    'download',
    'files.content.read',
    given.download,
    async (call, { path }) => {
      const file = lookUp(call, path, ['path']);
      if (file.kind !== 'file') throw routeError(['path', 'not_file']);
      return { result: untagged(metadata(call, file)), file };
    },
  ),

  'files/delete_v2': route(
    'rpc',
    'files.content.write',
    given.deleteFile,
    async (call, { path, parent_rev }) => {
      const found = lookUp(call, path, ['path_lookup']);
      if (parent_rev && (found.kind !== 'file' || found.rev !== parent_rev)) {
        throw routeError(['path_write', 'conflict', found.kind]);
      }
      const gone = metadata(call, found);
      call.grant.account.tree.remove(found.path);
      return { result: { metadata: gone } };
    },
  ),

  'files/create_folder_v2': route(
    'rpc',
    'files.content.write',
    given.createFolder,
    async (call, { path }) => {
      const { tree } = call.grant.account;
      const problem = nameProblem(path);
      if (problem) throw routeError(['path', problem]);
      const whole = rootOf(call.grant) + path;
      const inTheWay = tree.find(storedPath(whole))?.kind ?? tree.obstacle(whole);
      if (inTheWay) throw routeError(['path', 'conflict', inTheWay]);
      return { result: { metadata: untagged(metadata(call, tree.makeFolder(whole))) } };
    },
  ),

  'users/get_space_usage': {
    style: 'rpc',
    scope: 'account_info.read',
    async answer({ grant }) {
      const { tree, quota } = grant.account;
      return {
        result: { used: tree.used, allocation: { '.tag': 'individual', allocated: quota } },
      };
    },
  },
};
