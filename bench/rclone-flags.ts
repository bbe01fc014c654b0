/**
 * How rclone is run beside its defaults: what its documentation names for speed (rclone.org/docs, /s3,
 * /azureblob, /dropbox, /sftp, /webdav), by type of destination, and nothing that leaves out a check of
 * what arrived. `--transfers` and `--multi-thread-streams` do nothing for one file that goes to a remote
 * in Debian's version.
 */
const SHARED = ['--no-check-dest', '--no-traverse', '--buffer-size=64Mi'];

/** Beside the others where there are many small files. */
export const MANY_FILES = ['--transfers=16', '--checkers=16'];

export const BEST_FLAGS: Readonly<Record<string, readonly string[]>> = {
  // "If you are uploading … over high-speed links and these uploads do not fully utilize your
  // bandwidth, then increasing this may help"; parts only above a cutoff that is 200 MiB by default.
  s3: [
    ...SHARED,
    '--s3-upload-cutoff=16Mi',
    '--s3-chunk-size=16Mi',
    '--s3-upload-concurrency=8',
    '--s3-no-check-bucket',
  ],
  // "this can be increased … 255k works well" with OpenSSH; 64 requests are under way by default.
  ssh: [...SHARED, '--sftp-chunk-size=255Ki', '--sftp-concurrency=64', '--sftp-set-modtime=false'],
  // A file goes in one request, for which there are no flags.
  webdav: SHARED,
  azure: [...SHARED, '--azureblob-chunk-size=16Mi', '--azureblob-upload-concurrency=16'],
  // "Setting this larger will increase the speed slightly"; in a batch, one file waits for others.
  dropbox: [...SHARED, '--dropbox-chunk-size=128Mi', '--dropbox-batch-mode=off'],
};
