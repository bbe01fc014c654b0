import { z } from 'zod';
import { startChildServer } from '../test/crash/places/child-server.ts';

const SOURCE = new URL('./processes/source.ts', import.meta.url);
const source = z.object({ port: z.number() });

/** The staging bucket of `s3-source.ts`, in a process of its own. */
export async function startSource() {
  const child = await startChildServer(SOURCE, () => ({}));
  return {
    endpoint: `http://127.0.0.1:${source.parse(child.told).port}`,
    [Symbol.asyncDispose]: () => child.halt('SIGKILL'),
  };
}
