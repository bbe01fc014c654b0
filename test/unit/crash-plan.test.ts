import { describe, expect, it } from 'vitest';
import { openChance, seedOf } from '../crash/chance.ts';
import { shortenDelay, shortenLease } from '../crash/short-waits.ts';
import { atEveryStep, oneByOne, otherTroubles } from '../crash/trouble.ts';

const STEPS = Array.from({ length: 23 }, (_, at) => `step ${at}`);

describe('the rounds that kill workers', () => {
  it('kill before and after every step, each once', () => {
    const kills = atEveryStep(STEPS).flatMap((round) => round.kills);
    const wanted = STEPS.flatMap((step) => [`before ${step}`, `after ${step}`]);
    expect(kills.map(({ step, when }) => `${when} ${step}`).sort()).toEqual(wanted.sort());
  });

  it('kill in the order of the steps, and less often than a message is delivered', () => {
    for (const { kills } of atEveryStep(STEPS)) {
      const order = kills.map(({ step }) => STEPS.indexOf(step));
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(new Set(order).size).toBe(order.length);
      expect(kills.length).toBeLessThan(8);
    }
    expect(oneByOne([{ step: 'a', when: 'after' }])).toHaveLength(1);
  });
});

describe('a seed', () => {
  it('repeats every choice, and another one makes others', () => {
    const choices = (seed: number) => otherTroubles(openChance(seedOf(seed, 'ssh')));
    expect(choices(5)).toEqual(choices(5));
    expect(choices(5)).not.toEqual(choices(6));
    expect(openChance(9).shuffle(STEPS)).toEqual(openChance(9).shuffle(STEPS));
    expect(openChance(9).shuffle(STEPS).sort()).toEqual([...STEPS].sort());
  });
});

describe('waits that are shortened on the wire', () => {
  it('take the margin for other clocks off a lease that is taken, and nothing else', () => {
    const taken = JSON.stringify({
      UpdateExpression: 'SET #until = :until ADD fence :one',
      ExpressionAttributeValues: { ':until': { N: '1795568725123' } },
    });
    const body = Buffer.from(taken);
    shortenLease(body);
    expect(body.toString()).toBe(taken.replace('1795568725123', '1795568665123'));
    const other = Buffer.from(taken.replace(' ADD fence :one', ''));
    shortenLease(other);
    expect(other.toString()).toContain('1795568725123');
  });

  it('leave a request of the same length that says two seconds at most', () => {
    for (const [given, expected] of [
      ['{"VisibilityTimeout":3600,"QueueUrl":"q"}', 2],
      ['{"VisibilityTimeout":1,"QueueUrl":"q"}', 1],
    ] as const) {
      const body = Buffer.from(given);
      shortenDelay(body);
      expect(body).toHaveLength(given.length);
      expect(JSON.parse(body.toString())).toEqual({ VisibilityTimeout: expected, QueueUrl: 'q' });
    }
  });
});
