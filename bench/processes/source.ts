import { startS3Source } from '../s3-source.ts';

/** The source in a process of its own, so that it shares no event loop with what is measured. */
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: await startS3Source() });
