import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { conformance } from './conformance.ts';
import { s3Subject } from './s3-subject.ts';

const lacks = {
  signatures: { notHere: 'the embedded S3 checks no signature' },
  checksums: { notHere: 'the embedded S3 checks no checksum' },
  listParts: { notHere: 'the embedded S3 does not list parts' },
};

conformance('S3 on the embedded server', async () =>
  s3Subject(await startEmbeddedS3(), lacks, 1000),
);
