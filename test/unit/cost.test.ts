import { describe, expect, it } from 'vitest';
import { describeCosts, usdPerRun, usdPerTiB } from '../../bench/cost.ts';

describe('what a TiB costs', () => {
  it('is the time that the line needs, where that is longer', () => {
    // 1024 s/GiB at 1 MiB/s, 1,048,576 s for a TiB, of 1 GB each; 131,072 reads.
    expect(usdPerTiB(2, 1024, 1, 128)).toBeCloseTo(1_048_576 * 0.0000133334 + 0.0524, 2);
  });

  it('is the time that the CPU needs, where memory gives little of it', () => {
    // A quarter of a vCPU needs 8 s for each GiB.
    expect(usdPerTiB(2, 1769 / 4, 1000, 128)).toBeCloseTo(
      8192 * (1769 / 4096) * 0.0000133334 + 0.0524,
      3,
    );
  });

  it('does not fall below one vCPU', () => {
    expect(usdPerTiB(2, 2 * 1769, 1000, 128) - 0.0524).toBeCloseTo(
      2 * (usdPerTiB(2, 1769, 1000, 128) - 0.0524),
      3,
    );
  });
});

describe('what a run costs', () => {
  const asked = (service: string, operation: string, requests: number, units = 0) => ({
    ...{ service, operation, requests, units },
  });
  const alone = usdPerRun([], undefined);

  it('is what the services do for it, where nobody asks for anything', () => {
    // Four writes, two reads, two requests of the queue, three calls.
    expect(alone * 1e6).toBeCloseTo(4 * 0.625 + 2 * 0.125 + 2 * 0.4 + 3 * 0.2, 6);
  });

  it.each([
    [asked('DynamoDB', 'PutItem', 2, 3), 3 * 0.625],
    [asked('DynamoDB', 'Query', 1, 2.5), 2.5 * 0.125],
    [asked('SQS', 'SendMessage', 1), 0.4],
    [asked('S3', 'ListObjectsV2', 1), 5],
    [asked('S3', 'HeadObject', 10), 4],
    [asked('KMS', 'Decrypt', 1), 3],
    // It is with the bytes.
    [asked('S3', 'GetObject', 128), 0],
  ])('and what is asked for: %o', (count, millionths) => {
    expect((usdPerRun([count], undefined) - alone) * 1e6).toBeCloseTo(millionths, 6);
  });

  it('and a share of the tick', () => {
    const requests = [
      asked('DynamoDB', 'UpdateItem', 100, 200),
      asked('SQS', 'SendMessageBatch', 10),
    ];
    const tick = { users: 100, memoryMb: 512, ms: 1, cpuMs: 1, peakRssMiB: 1, handled: 100 };
    const usd = usdPerRun([], { ...tick, requests });
    expect((usd - alone) * 1e6).toBeCloseTo(2 * 0.625 + 0.1 * 0.4, 6);
  });
});

it('the page has no line for what was not measured', () => {
  expect(describeCosts([], [], [])).not.toMatch(/NaN|Infinity/);
});
