import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesise } from '../../local/cloud-assembly.ts';
import { type FunctionDefinition, LambdaProcess } from '../../local/lambda-process.ts';
import { readTopology } from '../../local/topology.ts';
import { scratchFolder } from './synthesis.ts';

/** What Lambda loads before the first invocation of a worker takes time by its size. */
const MOST_BYTES = 2_500_000;
/** Of those that know types of destination by name alone, and come to none of their settings. */
const MOST_BYTES_WITHOUT_TYPES = 700_000;
const WITHOUT_TYPES = ['enqueue-due', 'sweep'];
const NOWHERE = 'http://127.0.0.1:9';

let folder: ReturnType<typeof scratchFolder>;
let functions: readonly FunctionDefinition[];

beforeAll(async () => {
  folder = scratchFolder();
  const assembly = await synthesise(folder.path, new AbortController().signal);
  const endpoints = { dynamodb: NOWHERE, sqs: NOWHERE, s3: NOWHERE, kms: NOWHERE, events: NOWHERE };
  functions = readTopology(assembly, endpoints).functions;
}, 120_000);

afterAll(() => folder?.remove());

describe('the bundles that are deployed', () => {
  it('are small enough to load fast', () => {
    expect(functions.length).toBeGreaterThanOrEqual(4);
    const sizes = functions.map(({ name, bundle }) => [name, statSync(bundle).size] as const);
    expect(sizes.filter(([, size]) => size > MOST_BYTES)).toEqual([]);
  });

  it('have no type of destination where nothing of it is used', () => {
    const few = functions.filter(({ environment }) =>
      WITHOUT_TYPES.includes(environment.POWERTOOLS_SERVICE_NAME ?? ''),
    );
    expect(few).toHaveLength(WITHOUT_TYPES.length);
    const sizes = few.map(({ name, bundle }) => [name, statSync(bundle).size] as const);
    expect(sizes.filter(([, size]) => size > MOST_BYTES_WITHOUT_TYPES)).toEqual([]);
  });

  it('speak one language: zod has fifty, which only a namespace import leaves behind', () => {
    const all = functions.filter(({ bundle }) => readFileSync(bundle, 'utf8').includes('Ungültig'));
    expect(all.map(({ name }) => name)).toEqual([]);
  });

  it('load on a machine that has nothing else', async () => {
    for (const definition of functions) {
      const worker = new LambdaProcess(definition, () => undefined);
      // An event that is none fails, or is found to be empty: either way the handler was there.
      const answer = await worker.invoke({ Records: [] }).catch((error: unknown) => error);
      expect(answer).not.toMatchObject({ kind: 'crashed' });
      await worker.stop();
    }
  });
});
