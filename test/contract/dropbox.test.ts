import { conformance } from './conformance.ts';
import { dropboxSubject, startFake } from './dropbox-subject.ts';

const listPage = 20;

conformance('Dropbox on a fake of its API', async () =>
  dropboxSubject(await startFake(listPage), listPage),
);
