import { describe, expect, it } from 'vitest';
import { type Import, importsOf, readSource, sourceFiles } from './imports.ts';

const CONTRACT = 'functions/destinations/contract.ts';
const REGISTRY = 'functions/destinations/registry.ts';
/** What the stack shares with the code at run time; of everything else it may use types. */
const SHARED = /^functions\/(\w+\/keys|platform\/environment|platform\/metric-names)\.ts$/;
const JOB_LOGIC = ['transfer', 'enqueue-due', 'settings-changed', 'sweep', 'check'];
/** How a Ferry on this machine tells the command line where it is: what both have to know. */
const RUNNING = 'local/running-ferry.ts';
/** No clients and no side effects: a language of its own for time, and one for misspelt names. */
const PURE = ['temporal-polyfill', 'fastest-levenshtein'];

type Layer =
  | 'core'
  | 'capability'
  | 'contract'
  | 'driver'
  | 'job'
  | 'joint'
  | 'infra'
  | 'local'
  | 'cli';

/** Where a file stands, and the folder that it may share with its neighbours. */
function place(path: string): { layer: Layer; home: string } {
  const [top = '', folder = '', ...rest] = path.split('/');
  const home = `${top}/${folder}/`;
  if (top === 'infra' || top === 'local' || top === 'cli') return { layer: top, home: `${top}/` };
  if (folder === 'core') return { layer: 'core', home };
  if (folder === 'platform' || rest.join() === 'handler.ts') return { layer: 'joint', home };
  if (JOB_LOGIC.includes(folder)) return { layer: 'job', home };
  if (folder !== 'destinations') return { layer: 'capability', home };
  // What every driver that speaks HTTP builds on.
  const isShared = rest.length === 1 || rest[0] === 'http';
  return isShared ? { layer: 'contract', home } : { layer: 'driver', home: `${home}${rest[0]}/` };
}

/** Whether the dependency rule allows an import. */
function isAllowed({ from, to, typeOnly }: Import): boolean {
  const { layer, home } = place(from);
  const isOurs = /^(functions|infra|local|cli)\//.test(to);
  if (!isOurs) {
    const narrow = layer === 'core' || layer === 'job';
    return !narrow || to.startsWith('node:') || PURE.includes(to);
  }
  const target = place(to);
  const near =
    to.startsWith('functions/core/') || (to.startsWith(home) && !to.endsWith('handler.ts'));
  switch (layer) {
    case 'core':
      return to.startsWith(home);
    case 'capability':
      return near;
    case 'driver':
      return near || target.layer === 'contract';
    case 'contract':
      return target.layer === 'driver' ? from === REGISTRY : near;
    case 'job':
      return near || (to === CONTRACT && typeOnly);
    case 'joint':
      return to.startsWith('functions/') && !to.endsWith('handler.ts');
    case 'infra':
      return near || SHARED.test(to) || (typeOnly && to.startsWith('functions/'));
    case 'local':
      return target.layer !== 'cli';
    case 'cli':
      return to === RUNNING || !['infra', 'local', 'job', 'joint'].includes(target.layer);
  }
}

/** The AWS services whose SDK a package belongs to. */
function awsService(to: string): string | undefined {
  const service = /^@aws-sdk\/(?:client|lib)-([\w-]+)/.exec(to)?.[1];
  return service === 'storage' ? 's3' : service;
}

const describeImport = ({ from, to }: Import) => `${from} imports ${to}`;
const files = sourceFiles('functions', 'infra', 'local', 'cli');
const imports = files.flatMap((path) => importsOf(path, readSource(path)));

describe('the dependency rule', () => {
  it('is kept by every import', () => {
    expect(imports.length).toBeGreaterThan(200);
    expect(imports.filter((each) => !isAllowed(each)).map(describeImport)).toEqual([]);
  });

  it('lets a capability have the SDK of one service', () => {
    const services = new Map<string, Set<string>>();
    for (const { from, to } of imports) {
      const { layer, home } = place(from);
      const service = awsService(to);
      if (service === undefined || (layer !== 'capability' && layer !== 'driver')) continue;
      services.set(home, (services.get(home) ?? new Set()).add(service));
    }
    expect([...services].filter(([, used]) => used.size > 1)).toEqual([]);
  });

  it('lets only handlers, the platform, local runs and the command line make clients of what Ferry runs on', () => {
    const makers = files
      .filter((path) => /\bnew (DynamoDB|SQS|S3|KMS)Client\(/.test(readSource(path)))
      .filter((path) => !['joint', 'local', 'cli', 'driver'].includes(place(path).layer));
    expect(makers).toEqual([]);
  });
});

describe('the policy', () => {
  it('is left out by name, and only by those who read no verdict', () => {
    const without = files.filter((path) => readSource(path).includes('NO_LIMITS'));
    expect(without.sort()).toEqual([
      'cli/import/schedule.ts',
      'cli/planned.ts',
      'functions/core/policy.ts',
      'functions/sweep/handler.ts',
    ]);
  });
});

describe('the check of the dependency rule', () => {
  const within = (from: string, source: string) => importsOf(from, source).every(isAllowed);

  it.each([
    ['functions/core/job.ts', "import { z } from 'zod';"],
    ['functions/core/job.ts', "import { readRow } from '../settings/row.ts';"],
    ['functions/core/job.ts', "import type { Row } from '../settings/row.ts';"],
    ['functions/core/job.ts', "export * from '../settings/row.ts';"],
    ['functions/core/job.ts', "import '../settings/row.ts';"],
    ['functions/core/job.ts', "const x = await import('../settings/row.ts');"],
    ['functions/core/job.ts', 'const x = await import(name);'],
    ['functions/core/job.ts', "import {\n  a,\n  b,\n} from '../settings/row.ts';"],
    ['functions/settings/row.ts', "import { parse } from '../destinations/setting.ts';"],
    ['functions/settings/row.ts', "import type { Runs } from '../transfer/ports.ts';"],
    ['functions/settings/row.ts', "import { openLog } from '../platform/logging.ts';"],
    ['functions/transfer/run-job.ts', "import { openJobQueue } from '../queue/job-queue.ts';"],
    ['functions/transfer/run-job.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['functions/transfer/run-job.ts', "import { begin } from '../destinations/contract.ts';"],
    ['functions/transfer/run-job.ts', "import type { X } from '../destinations/registry.ts';"],
    ['functions/transfer/run-job.ts', "import type { X } from '../enqueue-due/ports.ts';"],
    ['functions/transfer/run-job.ts', "import { handler } from './handler.ts';"],
    ['functions/destinations/ssh/destination.ts', "import { sign } from '../s3/client.ts';"],
    ['functions/destinations/ssh/destination.ts', "import { row } from '../../settings/row.ts';"],
    ['functions/destinations/setting.ts', "import { ssh } from './ssh/type.ts';"],
    ['functions/destinations/http/trust.ts', "import { sign } from '../s3/client.ts';"],
    ['functions/transfer/handler.ts', "import { stage } from '../../infra/stages.ts';"],
    ['functions/transfer/handler.ts', "import { handler } from '../enqueue-due/handler.ts';"],
    ['functions/platform/clients.ts', "import type { Stage } from '../../infra/stages.ts';"],
    ['infra/queues.ts', "import { openJobQueue } from '../functions/queue/job-queue.ts';"],
    ['infra/queues.ts', "import { start } from '../local/services.ts';"],
    ['functions/settings/row.ts', "import { ask } from '../../cli/question.ts';"],
    ['local/main.ts', "import { ask } from '../cli/question.ts';"],
    ['cli/main.ts', "import { start } from '../local/services.ts';"],
    ['cli/main.ts', "import { runJob } from '../functions/transfer/run-job.ts';"],
  ])('objects to %s with %s', (from, source) => {
    expect(within(from, source)).toBe(false);
  });

  it.each([
    ['functions/core/job.ts', "import { createHash } from 'node:crypto';"],
    ['functions/core/job.ts', "import { Temporal } from 'temporal-polyfill';"],
    ['functions/core/job.ts', "// import { z } from 'zod';\n/* import('zod') */"],
    [
      'functions/settings/row.ts',
      "import { z } from 'zod';\nimport { job } from '../core/job.ts';",
    ],
    ['functions/transfer/run-job.ts', "import type { X } from '../destinations/contract.ts';"],
    ['functions/destinations/registry.ts', "import { ssh } from './ssh/type.ts';"],
    ['functions/destinations/s3/client.ts', "import { createAgents } from '../http/agents.ts';"],
    ['functions/destinations/ssh/type.ts', "const x = await import('./destination.ts');"],
    ['functions/transfer/handler.ts', "import { openRunsTable } from '../runs/runs-table.ts';"],
    ['infra/state-stack.ts', "import { RUNS_KEYS } from '../functions/runs/keys.ts';"],
    ['infra/queues.ts', "import type { Job } from '../functions/core/job.ts';"],
    ['local/main.ts', "import { openRunsTable } from '../functions/runs/runs-table.ts';"],
    ['cli/ferry.ts', "import { findRunningFerry } from '../local/running-ferry.ts';"],
    ['cli/main.ts', "import { SETTINGS_KEY } from '../functions/settings/keys.ts';"],
    ['cli/main.ts', "import { says } from '../functions/destinations/dropbox/refusals.ts';"],
  ])('does not object to %s with %s', (from, source) => {
    expect(importsOf(from, source).length).toBe(
      source.startsWith('//') ? 0 : source.split('\n').length,
    );
    expect(within(from, source)).toBe(true);
  });
});

describe('a file', () => {
  const lines = (path: string) => readSource(path).trimEnd().split('\n').length;

  it('of the functions is short enough to be read at one go', () => {
    const long = sourceFiles('functions').filter((path) => lines(path) > 250);
    expect(long).toEqual([]);
  });

  it('that holds a handler joins things and does no more', () => {
    const handlers = sourceFiles('functions').filter((path) => path.endsWith('/handler.ts'));
    expect(handlers.length).toBeGreaterThan(0);
    expect(handlers.filter((path) => lines(path) >= 60)).toEqual([]);
  });
});
