import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CheckStep } from '../../functions/destinations/contract.ts';
import { startApache } from '../servers/apache.ts';
import { type Seen, startFront } from '../servers/http-front.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import { startSabre } from '../servers/sabredav.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { digestOf } from './sample.ts';
import { BYTES, deliverSample, FILE } from './webdav-delivery.ts';
import { openWith, rememberingSurroundings, settingsOf, through } from './webdav-subject.ts';

const NEVER = new AbortController().signal;
const running: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).toReversed()) await one.stop();
});

/** A server on a disk such as Windows and macOS have: a name finds a file whatever its letter case. */
async function onFoldingDisk(start: () => Promise<WebDavServer>) {
  const server = await start();
  running.push(server);
  const { origin, pathname: base } = new URL(server.url);
  /** As the disk has it, where it has it. */
  const spell = async (path: string) => {
    if (!path.startsWith(`${base}/`)) return path;
    const spelled: string[] = [];
    for (const name of path.slice(base.length + 1).split('/')) {
      const inside = await readdir(join(server.folder, ...spelled)).catch(() => []);
      const wanted = decodeURIComponent(name);
      spelled.push(inside.find((one) => one.toLowerCase() === wanted.toLowerCase()) ?? wanted);
    }
    return `${base}/${spelled.map(encodeURIComponent).join('/')}`;
  };
  const front = await startFront(origin, undefined, spell);
  running.push(front);
  return { server, front };
}

const isProbe = ({ path }: Seen) => path.includes('/.ferry-probe-');

describe.each([
  ['Apache', startApache],
  ['SabreDAV', startSabre],
  ['nginx', startNginx],
] as const)('%s', (_, start) => {
  it('where letter case makes another name is found to be so', async () => {
    const server = await start();
    running.push(server);
    const destination = await openWith(settingsOf(server));
    expect(await destination.capabilities(NEVER)).toMatchObject({ foldsCase: false });
    await deliverSample(destination);
    expect(await destination.stat(FILE.path.toUpperCase(), NEVER)).toBeUndefined();
    await destination.close();
  });

  it('where it makes none is found to be so, which is remembered and told; nothing is left of it', async () => {
    const { server, front } = await onFoldingDisk(start);
    const settings = settingsOf(server, through(front, server));
    const surroundings = rememberingSurroundings();
    const destination = await openWith(settings, surroundings);
    expect(await destination.capabilities(NEVER)).toMatchObject({ foldsCase: true });
    expect((await readdir(server.folder)).filter((one) => /probe/i.test(one))).toEqual([]);
    await deliverSample(destination);
    expect(digestOf(await readFile(join(server.folder, FILE.path)))).toEqual(digestOf(BYTES));
    expect(await destination.stat(FILE.path.toUpperCase(), NEVER)).toMatchObject({
      size: BYTES.length,
    });
    await destination.close();

    const before = front.seen.length;
    const later = await openWith(settings, surroundings);
    expect(await later.capabilities(NEVER)).toMatchObject({ foldsCase: true });
    expect(front.seen.slice(before).filter(isProbe)).toEqual([]);
    const steps: CheckStep[] = [];
    for await (const step of later.check(NEVER)) steps.push(step);
    expect(steps.at(-1)).toMatchObject({
      step: 'way of sending',
      detail: expect.stringContaining('letter case'),
    });
    await later.close();
  });
});

it('what an older version has found out, which did not look at letter case, is found out anew', async () => {
  const { server, front } = await onFoldingDisk(startApache);
  const settings = settingsOf(server, through(front, server));
  const surroundings = rememberingSurroundings();
  const first = await openWith(settings, surroundings);
  await first.capabilities(NEVER);
  await first.close();
  const kept = JSON.parse(JSON.stringify(await surroundings.recall()));
  expect(kept).toMatchObject({ v: 2, strategy: { by: 'put-range', foldsCase: true } });
  await surroundings.remember({ v: 1, of: kept.of, strategy: { by: 'put-range' } });
  const second = await openWith(settings, surroundings);
  expect(await second.capabilities(NEVER)).toMatchObject({ foldsCase: true });
  await second.close();
});
