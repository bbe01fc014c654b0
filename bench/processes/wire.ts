import { z } from 'zod';
import { startWire } from '../wire.ts';

/** A wire in a process of its own, so that it is never what everybody waits for. */
const options = z
  .object({ to: z.object({ host: z.string(), port: z.number() }), rttMs: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ''));
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: await startWire(options) });
