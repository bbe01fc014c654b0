import { type FaultProxy, startFaultProxy } from '../../servers/fault-proxy.ts';
import { type Seen, startFront } from '../../servers/http-front.ts';
import type { Watch } from './place.ts';

export interface Fronted {
  /** Where the wire begins, as `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly wire: FaultProxy;
  close(): Promise<void>;
}

/**
 * A wire to an HTTP server that ends in a front, where requests are told apart.
 * @param nameOf what a request is called; undefined for one that changes nothing
 */
export async function startFronted(
  target: string,
  nameOf: (seen: Seen) => string | undefined,
  watch: Watch,
): Promise<Fronted> {
  const front = await startFront(new URL(target).origin);
  front.react((seen) => {
    const step = nameOf(seen);
    return step === undefined ? undefined : watch(step);
  });
  const { hostname: host, port } = new URL(front.endpoint);
  const wire = await startFaultProxy({ to: { host, port: Number(port) } });
  return {
    origin: `http://${wire.host}:${wire.port}`,
    wire,
    async close() {
      await wire.stop();
      await front.stop();
    },
  };
}
