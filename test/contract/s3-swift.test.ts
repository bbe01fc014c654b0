import { startSwift } from '../servers/swift.ts';
import { conformance } from './conformance.ts';
import { s3Subject } from './s3-subject.ts';

const listPage = 50;

conformance('S3 on OpenStack Swift', async () =>
  // A region that nobody is told of: it has to be asked for.
  s3Subject(await startSwift({ listPage, region: 'north-7' }), {}, listPage),
);
