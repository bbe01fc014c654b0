import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { startAzurite } from '../../../local/azurite.ts';

/** Azurite as a process of its own; on SIGTERM it writes down what it has, and ends. */
const options = z
  .object({ folder: z.string(), port: z.number().optional(), accountKey: z.string().optional() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const { folder, port = 0, accountKey = randomBytes(64).toString('base64') } = options;
const { stop, ...told } = await startAzurite({ folder, port, accountKey });
process.on('SIGTERM', () => void stop().finally(() => process.exit(0)));
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: told });
