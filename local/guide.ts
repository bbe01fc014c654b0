import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { marshall } from '@aws-sdk/util-dynamodb';
import { serverFor } from './destinations.ts';
import type { LocalFerry } from './local-ferry.ts';
import { CREDENTIALS, REGION } from './local-names.ts';
import { specOf } from './settings-rows.ts';
import type { LocalUser } from './users.ts';

/** How to use a Ferry that keeps running, with the AWS CLI; all of it can be pasted. */
export async function writeGuide(
  ferry: LocalFerry,
  users: readonly LocalUser[],
  scratch: string,
): Promise<string> {
  const [first] = users;
  if (!first) return 'No user, no guide.';
  const { endpoints } = ferry.services;
  const servers = [...ferry.destinations.servers.values()];
  const table = ferry.settingsTable.name;
  const other = `${first.id}2`;
  const example = join(scratch, 'new-user.json');
  await writeFile(example, exampleRow(ferry, first, other));
  const key = JSON.stringify({ userId: { S: first.id } });
  return `
Ferry goes on, with a tick every minute. Ctrl-C ends it and removes everything.

  DynamoDB       ${endpoints.dynamodb}
                 settings ${table}
                 runs     ${ferry.topology.output('RunsTable')}
  SQS            ${endpoints.sqs}
                 jobs     ${ferry.topology.output('JobQueueUrl')}
  KMS (a fake)   ${endpoints.kms}
                 secrets  ${ferry.topology.output('SecretsKeyArn')}
  S3 (staging)   ${endpoints.s3}
                 bucket   ${ferry.stagingBucket}
  Events         ${endpoints.events}
${servers.map(({ type, address }) => `  ${`users' ${type}`.padEnd(14)} ${address}`).join('\n')}

export AWS_ACCESS_KEY_ID=${CREDENTIALS.accessKeyId} AWS_SECRET_ACCESS_KEY=${CREDENTIALS.secretAccessKey} AWS_DEFAULT_REGION=${REGION}

Stage another archive of a user; it is delivered within a minute or two:
  tar -czf /tmp/more.tar.gz package.json
  aws --endpoint-url ${endpoints.s3} s3 cp /tmp/more.tar.gz s3://${ferry.stagingBucket}/${first.id}/html/more.tar.gz
See what Ferry says about a user:
  aws --endpoint-url ${endpoints.dynamodb} dynamodb get-item --table-name ${table} --key '${key}'
See which events were raised:
  curl -s ${endpoints.events}
Add the user ${other}, after a look into the file, and an archive for them:
  aws --endpoint-url ${endpoints.dynamodb} dynamodb put-item --table-name ${table} --item file://${example}
  aws --endpoint-url ${endpoints.s3} s3 cp /tmp/more.tar.gz s3://${ferry.stagingBucket}/${other}/mail/first.tar.gz

Where archives arrive (with the clients aws, az and curl, where you have them):
${users
  .flatMap(({ id, destinations }) =>
    Object.values(destinations).map(({ type }) => serverFor(type, ferry.destinations).lookAt(id)),
  )
  .map((line) => `  ${line}`)
  .join('\n')}
`;
}

/** A user's row under another name, in the JSON that the AWS CLI takes. Its secrets are text: Ferry seals them. */
function exampleRow({ destinations }: LocalFerry, user: LocalUser, userId: string): string {
  const item = marshall({ userId, spec: specOf(user, destinations) });
  return `${JSON.stringify(item, null, 2)}\n`;
}
