import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { isIP } from 'node:net';

/** The addresses of a name the nth time (from 1) that it is asked for; none where there is no such name. */
export type Zone = (name: string, nth: number) => readonly string[];

export interface NameServer {
  /** How often a name was asked for. */
  asked(name: string): number;
  /** Asks this server, as the guard's own lookup asks the system's. */
  resolve(name: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const TYPES = { 1: 4, 28: 6 } as const;
const HEADER = 12;
const NO_SUCH_NAME = 3;

/** A name server on loopback that answers A and AAAA questions (RFC 1035, 4; RFC 3596), for no time to live. */
export async function startNameServer(zone: Zone): Promise<NameServer> {
  const counts = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, end } = readName(query);
    const type = query.readUInt16BE(end);
    const family = type === 1 || type === 28 ? TYPES[type] : undefined;
    // Both questions about a name make one lookup.
    if (type === 1) counts.set(name, (counts.get(name) ?? 0) + 1);
    const all = zone(name, Math.max(counts.get(name) ?? 0, 1));
    const found = all.filter((address) => isIP(address) === family);
    const question = query.subarray(HEADER, end + 4);
    const header = Buffer.alloc(HEADER);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    header.writeUInt16BE(0x8180 | (all.length === 0 ? NO_SUCH_NAME : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found.length, 6);
    const answers = found.map((address) => {
      const bytes = toBytes(address);
      const record = Buffer.alloc(12);
      // The name is the question's; class IN; time to live 0.
      record.writeUInt16BE(0xc000 | HEADER, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(bytes.length, 10);
      return Buffer.concat([record, bytes]);
    });
    socket.send(Buffer.concat([header, question, ...answers]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new dns.Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);

  return {
    asked: (name) => counts.get(name) ?? 0,
    async resolve(name) {
      const v4 = await resolver.resolve4(name).catch(noneWhereMissing);
      const v6 = await resolver.resolve6(name).catch(noneWhereMissing);
      return [...v4, ...v6];
    },
    async stop() {
      resolver.cancel();
      socket.close();
      await once(socket, 'close');
    },
  };
}

function noneWhereMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENODATA' || error.code === 'ENOTFOUND') return [];
  throw error;
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function toBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
