import type { PartPlan } from '../../core/parts.ts';
import type { RemoteFile, Upload } from '../contract.ts';
import { shortWrite } from './errors.ts';
import { preparePlace } from './final-name.ts';
import { putFile } from './folders.ts';
import { proveSize } from './publish.ts';
import type { Remote } from './remote.ts';
import { folderOf } from './remote-path.ts';

/**
 * A file of one part or none for a Nextcloud or ownCloud, which itself puts a file into its place when
 * it is whole. Its bytes are kept until `finish` sends them; there is nothing to resume.
 */
export function beginSingle({ server }: Remote, file: RemoteFile, plan: PartPlan): Upload {
  let kept: Buffer | undefined = plan.count === 0 ? Buffer.alloc(0) : undefined;
  let isSent = false;

  return {
    held: 0,
    async writePart({ bytes }) {
      kept = bytes;
    },
    checkpoint: async () => undefined,
    async finish(_digest, signal) {
      if (!isSent) {
        if (kept?.length !== file.size) throw shortWrite();
        await preparePlace(server, file, signal);
        const url = server.fileUrl(file.path);
        await putFile(server, folderOf(file), { url, body: kept }, signal);
        isSent = true;
        kept = undefined;
      }
      return proveSize(server, file, 'file size on the server', signal);
    },
    async abort() {
      kept = undefined;
    },
  };
}
