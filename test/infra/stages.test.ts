import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findStage, type Stage, stages } from '../../infra/stages.ts';
import { cdkContext, synthesize } from './synthesis.ts';

describe('a stage', () => {
  it('is found by its name', () => {
    expect(findStage('prod').name).toBe('prod');
    expect(findStage('dev').name).toBe('dev');
  });

  it('that nobody knows is refused, with the known ones named', () => {
    expect(() => findStage('staging')).toThrow(/no stage "staging".*dev, prod/);
  });

  it('keeps its data in production', () => {
    expect(findStage('prod').keepData).toBe(true);
  });

  it('leaves a worker memory besides the archives it holds', () => {
    for (const { transfer } of stages) {
      expect(transfer.memoryMb - transfer.inFlightMib).toBeGreaterThanOrEqual(256);
    }
  });

  it.each([
    ['no due shard', { dueShards: 0 }],
    ['more due shards than the tick reads', { dueShards: 257 }],
    ['a spread of more than half a day', { spreadMinutes: 721 }],
    ['no receive at all', { maxReceiveCount: 0 }],
  ])('with %s is refused at synthesis, not by the deployed function', (_, wrong) => {
    const stage: Stage = { ...findStage('dev'), ...wrong };
    expect(() => synthesize(stage)).toThrow();
  });
});

describe('cdk.json', () => {
  it('sets every feature flag as the installed CDK recommends', () => {
    const cdk = dirname(createRequire(import.meta.url).resolve('aws-cdk-lib'));
    const recommended = readFileSync(join(cdk, 'recommended-feature-flags.json'), 'utf8');
    expect(cdkContext).toEqual(JSON.parse(recommended));
  });
});
