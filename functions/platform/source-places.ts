import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** Where it went wrong, and by which way it came there. */
const MOST_PLACES = 8;
const FRAME =
  /^\s+at (?:async )?(?:(?<what>.+) \()?(?<file>(?:file:\/\/)?\/.+?):(?<line>\d+):(?<column>\d+)\)?$/;

/** As esbuild writes it (https://tc39.es/ecma426/), with what it may leave out and Node's type asks for. */
const sourceMap = z.object({
  version: z.literal(3),
  file: z.string().default(''),
  sourceRoot: z.string().default(''),
  sources: z.array(z.string()),
  sourcesContent: z.array(z.string()).default([]),
  names: z.array(z.string()),
  mappings: z.string(),
});

/** By address of the module; undefined where it has no map. */
const maps = new Map<string, SourceMap | undefined>();

/**
 * Where an error comes from, innermost first, as `functions/core/parts.ts:12:3`, with the function's name
 * where V8 knows one. Places in a bundle are looked up in the source map beside it, which is read when
 * the first error is told: Node's `--enable-source-maps` has it read at each start, which takes 15 MiB of
 * every worker and a tenth of its start. The message, which V8 puts before the frames, is left out: a line of
 * it may look like one.
 */
export function sourcePlaces({ message, stack = '' }: Error): string[] {
  const frames = stack
    .replace(message, '')
    .split('\n')
    .flatMap((line) => {
      const groups = FRAME.exec(line)?.groups;
      return groups ? [groups] : [];
    });
  return frames.slice(0, MOST_PLACES).map(({ what, file = '', line, column }) => {
    const place = originOf(file, Number(line), Number(column)) ?? `${file}:${line}:${column}`;
    return what === undefined ? place : `${what} (${place})`;
  });
}

function originOf(file: string, line: number, column: number): string | undefined {
  const origin = mapOf(file)?.findOrigin(line, column);
  if (!origin || !('fileName' in origin) || !origin.fileName) return undefined;
  const path = origin.fileName.replace(/^(?:\.\.\/)+/, '');
  return `${path}:${origin.lineNumber}:${origin.columnNumber}`;
}

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, readMap(`${pathOf(file)}.map`));
  return maps.get(file);
}

/** V8 names ES modules by address and all others by path. */
function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}

/** What is there to explain an error must not become one. */
function readMap(path: string): SourceMap | undefined {
  try {
    return new SourceMap(sourceMap.parse(JSON.parse(readFileSync(path, 'utf8'))));
  } catch {
    return undefined;
  }
}
