import { DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { jobRecordSchema, receiptSchema } from '../../functions/runs/schema.ts';
import type { LocalFerry } from '../../local/local-ferry.ts';
import { digestOf } from '../contract/sample.ts';
import { ARCHIVE_FILE } from './archive.ts';
import type { Way } from './places/place.ts';

const rows = z.array(z.object({ sk: z.string(), data: z.unknown().optional() }));
const row = z.object({
  status: z.object({
    destinations: z.object({
      place: z.object({
        lastRun: z.object({ outcome: z.string(), message: z.string().optional() }),
      }),
    }),
  }),
});

/** What the runs table has of one user. */
async function itemsOf(ferry: LocalFerry, userId: string) {
  const documents = DynamoDBDocumentClient.from(ferry.services.dynamodb);
  const { Items } = await documents.send(
    new QueryCommand({
      TableName: ferry.topology.output('RunsTable'),
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :user',
      ExpressionAttributeValues: { ':user': `USER#${userId}` },
    }),
  );
  const items = rows.parse(Items ?? []);
  const ofKind = (kind: string) => items.filter(({ sk }) => sk.startsWith(`${kind}#`));
  return { ofKind };
}

/** How a user's only job stands. */
export async function readState(ferry: LocalFerry, userId: string) {
  const { ofKind } = await itemsOf(ferry, userId);
  const jobs = ofKind('JOB').map(({ data }) => jobRecordSchema.parse(data));
  return {
    isOver: jobs.length > 0 && jobs.every(({ state }) => state !== 'running'),
    hops: Math.max(0, ...jobs.map(({ hop }) => hop + 1)),
  };
}

/** Everything that is not as it should be when a round is over. */
export async function findFaults(of: {
  readonly ferry: LocalFerry;
  readonly way: Way;
  readonly userId: string;
  readonly archive: Buffer;
}): Promise<string[]> {
  const { ferry, way, userId, archive } = of;
  const faults: string[] = [];
  const expect = (isSo: boolean, what: string) => {
    if (!isSo) faults.push(what);
  };
  const contents = await way.contents();
  const others = contents.filter((path) => path !== ARCHIVE_FILE);
  expect(others.length === 0, `left at the destination: ${others.join(', ')}`);
  expect(contents.includes(ARCHIVE_FILE), 'nothing is under the name');
  if (contents.includes(ARCHIVE_FILE)) {
    expect((await way.read(ARCHIVE_FILE)).equals(archive), 'the client reads other bytes');
  }

  const { ofKind } = await itemsOf(ferry, userId);
  const jobs = ofKind('JOB').map(({ data }) => jobRecordSchema.parse(data));
  for (const { state, errors } of jobs) {
    expect(state === 'succeeded', `the job ${state}: ${JSON.stringify(errors)}`);
  }
  expect(jobs.length === 1, `${jobs.length} jobs`);
  const receipts = ofKind('RECEIPT').map(({ data }) => receiptSchema.parse(data));
  expect(receipts.length === 1, `${receipts.length} receipts`);
  const { sha256 } = digestOf(archive);
  for (const { digest } of receipts) {
    expect(digest.sha256 === sha256, 'the receipt has another SHA-256');
  }
  expect(ofKind('CHECKPOINT').length === 0, 'a checkpoint is left');
  const outcome = await outcomeOf(ferry, userId);
  expect(outcome === 'succeeded', `the row says ${outcome}`);
  return faults;
}

async function outcomeOf(ferry: LocalFerry, userId: string): Promise<string> {
  const { dynamodb, name: TableName } = ferry.settingsTable;
  const documents = DynamoDBDocumentClient.from(dynamodb);
  const { Item } = await documents.send(new GetCommand({ TableName, Key: { userId } }));
  const { outcome, message } =
    row.safeParse(Item).data?.status.destinations.place.lastRun ??
    ({ outcome: 'nothing' } as const);
  return message === undefined ? outcome : `${outcome}: ${message}`;
}
