import type { Json } from '../../core/checkpoint.ts';
import { FerryError } from '../../core/errors.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { Digest, Proof } from '../../core/receipt.ts';
import { NEVER, unlessAborted } from '../../core/stopping.ts';
import type { Part, RemoteFile, Upload } from '../contract.ts';
import { openLeadingParts } from '../leading-parts.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import { readCheckpoint, toCheckpoint } from './checkpoint.ts';
import type { Connection } from './connection.ts';
import { type Paths, proveFinal, publish } from './publish.ts';
import { ensureFolder, openFile, removeFile, statEntry } from './remote-files.ts';
import { hashOnServer, type RemoteHash } from './remote-hash.ts';
import { fullPath, temporaryPath } from './remote-path.ts';
import type { Session } from './session.ts';
import { type SharedFile, shareFile } from './shared-file.ts';

interface State {
  readonly held: number;
  /** Absent where an earlier process has published already. */
  readonly open: SharedFile | undefined;
  /** As in the checkpoint. */
  readonly modified: number | undefined;
}

/** Begins a new upload: an empty temporary file beside the final place. */
export async function beginUpload(
  session: Session,
  file: RemoteFile,
  plan: PartPlan,
  signal: AbortSignal,
): Promise<Upload> {
  const connection = await session.connection(signal);
  const paths = pathsOf(connection, file);
  await ensureFolder(connection, paths.folder, signal);
  const handle = await openFile(connection, paths.temporary, 'w', signal);
  const open = shareFile(session, { connection, handle }, paths.temporary, file.size);
  const state = { held: 0, open, modified: undefined };
  return openUpload(session, file, plan, paths, state);
}

/** Goes on from a checkpoint: with the temporary file, or with the finished one where that was published. */
export async function resumeUpload(
  session: Session,
  file: RemoteFile,
  plan: PartPlan,
  json: Json,
  signal: AbortSignal,
): Promise<Upload> {
  const saved = readCheckpoint(json, file, plan);
  const connection = await session.connection(signal);
  const paths = pathsOf(connection, file);
  const modified = saved.modified ?? undefined;
  const temporary = await statEntry(connection, paths.temporary, signal);
  if (!temporary) {
    const final = await statEntry(connection, paths.final, signal);
    const isOurs = final?.size === file.size && final.modified === modified;
    if (!isOurs) throw uploadLost('the server does not have it any more');
    return openUpload(session, file, plan, paths, { held: plan.count, open: undefined, modified });
  }
  if (temporary.size > file.size) throw uploadLost('the server has more than was sent');
  const whole = temporary.size === file.size;
  const held = whole
    ? saved.parts
    : Math.min(saved.parts, Math.floor(temporary.size / plan.partSize));
  const handle = await openFile(connection, paths.temporary, 'r+', signal);
  const left = Math.max(0, file.size - held * plan.partSize);
  const open = shareFile(session, { connection, handle }, paths.temporary, left);
  return openUpload(session, file, plan, paths, { held, open, modified });
}

function pathsOf(connection: Connection, file: RemoteFile): Paths {
  const final = fullPath(connection.base, file.path);
  const folder = fullPath(connection.base, file.path.split('/').slice(0, -1).join('/'));
  return { folder, final, temporary: temporaryPath(final, file.transferId) };
}

function openUpload(
  session: Session,
  file: RemoteFile,
  plan: PartPlan,
  paths: Paths,
  state: State,
): Upload {
  const leading = openLeadingParts(state.held);
  let { open, modified } = state;
  /** Begun as soon as every part was there. */
  let hashing: Promise<RemoteHash | undefined> | undefined;

  return {
    held: state.held,

    async writePart(part: Part, signal) {
      if (!open) throw uploadLost('the file was closed');
      await open.write(part, signal);
      leading.settle(part.number);
      // OpenSSH has what it acknowledged in the file: it hashes while its disk takes the rest.
      if (leading.count === plan.count && open.connection.isOpenSsh) {
        hashing = hashOnServer(open.connection, paths.temporary, file.size, signal);
        // Told when it is waited for; until then a failure must not count as unhandled.
        hashing.catch(() => {});
      }
    },

    async checkpoint() {
      const parts = leading.count;
      if (open) {
        await open.sync(NEVER);
        if (parts === plan.count) {
          modified = (await statEntry(open.connection, paths.temporary, NEVER))?.modified;
        }
      }
      const isWhole = parts === plan.count;
      return toCheckpoint(file, plan, { parts, modified: isWhole ? (modified ?? null) : null });
    },

    async finish(digest: Digest, signal): Promise<Proof> {
      const connection = open?.connection ?? (await session.connection(signal));
      const temporary = await statEntry(connection, paths.temporary, signal);
      if (!temporary) return proveFinal(connection, paths.final, digest, modified, signal);
      if (leading.count < plan.count || temporary.size !== file.size) throw incomplete();
      if (open) {
        await open.sync(signal);
        await open.close(signal);
        open = undefined;
      }
      modified = temporary.modified;
      const begun = hashing ?? hashOnServer(connection, paths.temporary, file.size, signal);
      hashing = undefined;
      const hash = await unlessAborted(begun, signal);
      return publish(connection, paths, digest, hash, signal);
    },

    async abort() {
      open?.release();
      open = undefined;
      await removeFile(await session.connection(NEVER), paths.temporary, NEVER);
    },
  };
}

function incomplete(): FerryError {
  return new FerryError(
    'short-write',
    'The server does not have every byte of the file. What is missing is sent again.',
    { retry: 'now', scope: 'archive' },
  );
}
