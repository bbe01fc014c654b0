import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CREDENTIALS } from './local-names.ts';
import { type ObjectStore, startObjectStore } from './services.ts';
import { type SftpServer, startSftpServer } from './sftp-server.ts';
import { BACKUP_FOLDER, type LocalDestination, type LocalUser } from './users.ts';

/** The servers on which users want their archives. */
export interface Destinations extends AsyncDisposable {
  readonly sftp: SftpServer;
  readonly objectStore: ObjectStore;
}

/** @param root holds one folder for each user of the SFTP server */
export async function startDestinations(
  users: readonly LocalUser[],
  root: string,
): Promise<Destinations> {
  const places = users.flatMap(({ id, destinations }) =>
    Object.values(destinations).map((place) => ({ id, place })),
  );
  await using started = new AsyncDisposableStack();
  const objectStore = started.use(await startObjectStore());
  const passwords: Record<string, string> = {};
  for (const { id, place } of places) {
    if (place.type === 'ssh') passwords[id] = place.password;
    else await objectStore.s3.send(new CreateBucketCommand({ Bucket: place.bucket }));
  }
  const sftp = started.adopt(await startSftpServer({ root, users: passwords }), (server) =>
    server.stop(),
  );
  const running = started.move();
  return { sftp, objectStore, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What the user types into the settings row for this destination. */
export function settingsFor(
  userId: string,
  place: LocalDestination,
  { sftp, objectStore }: Destinations,
): Record<string, string | number> {
  if (place.type === 'ssh') {
    return {
      SSH_HOST_NAME: sftp.host,
      SSH_PORT: sftp.port,
      SSH_USER: userId,
      SSH_PASSWORD: place.password,
      SSH_REMOTE_PATH: BACKUP_FOLDER,
      SSH_HOST_KEY: sftp.fingerprint,
    };
  }
  const { host, protocol } = new URL(objectStore.endpoint);
  return {
    AWS_S3_BUCKET_NAME: place.bucket,
    AWS_S3_PATH: BACKUP_FOLDER,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT: host,
    AWS_ENDPOINT_PROTO: protocol.replace(':', ''),
    // The embedded S3 takes no request larger than 11 MiB.
    AWS_PART_SIZE: 8,
  };
}
