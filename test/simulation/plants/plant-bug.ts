import { registerHooks } from 'node:module';
import { plants } from './plants.ts';

const planted = new Map<string, boolean>();
const ROOT = new URL('../../../', import.meta.url);

/**
 * Has a bug in the code of Ferry as it is loaded from now on by this thread; the files stay as they are.
 * @throws Error where there is no such bug; loading throws where the code is no longer what it changes
 */
export function plantBug(name: string): void {
  const plant = plants.find((candidate) => candidate.name === name);
  if (!plant) throw new Error(`There is no bug "${name}" to plant.`);
  const url = new URL(plant.file, ROOT).href;
  planted.set(name, false);
  registerHooks({
    load(target, context, nextLoad) {
      const loaded = nextLoad(target, context);
      if (target !== url || loaded.source === undefined || loaded.source === null) return loaded;
      const { source } = loaded;
      let text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString();
      for (const [find, replace] of plant.changes) {
        const [before, after, ...more] = text.split(find);
        if (before === undefined || after === undefined || more.length > 0) {
          throw new Error(
            `The bug "${name}" cannot be planted: ${plant.file} has not once ${find}`,
          );
        }
        text = `${before}${replace}${after}`;
      }
      planted.set(name, true);
      return { ...loaded, source: text };
    },
  });
}

/** @throws Error where a bug was to be planted into a file that nobody has loaded */
export function assertPlanted(): void {
  for (const [name, isPlanted] of planted) {
    if (!isPlanted) throw new Error(`The bug "${name}" is in a file that is not loaded.`);
  }
}
