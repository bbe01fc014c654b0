import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { serverFor } from './destinations.ts';
import type { LocalFerry } from './local-ferry.ts';
import { CREDENTIALS, REGION } from './local-names.ts';
import { specOf } from './settings-rows.ts';
import type { LocalUser } from './users.ts';

/** How to use a Ferry that keeps running; all of it can be pasted. */
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
  const example = join(scratch, 'new-user.yaml');
  const row = { userId: other, spec: specOf(first, ferry.destinations) };
  await writeFile(example, stringify(row), { mode: 0o600 });
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

Stage another archive of a user; it is delivered with the next tick, or at once:
  npx ferry --local stage ${first.id} package.json --component html
  npx ferry --local run ${first.id} --wait
See what Ferry says about a user, try the connection, and look at the proofs:
  npx ferry --local user show ${first.id}
  npx ferry --local check ${first.id}
  npx ferry --local receipts ${first.id}
Add the user ${other}, after a look into the file, with an archive of their own:
  npx ferry --local user put ${other} --file ${example}
  npx ferry --local stage ${other} package.json --component mail
See which events were raised:
  curl -s ${endpoints.events}

The same services answer the AWS CLI, with
  export AWS_ACCESS_KEY_ID=${CREDENTIALS.accessKeyId} AWS_SECRET_ACCESS_KEY=${CREDENTIALS.secretAccessKey} AWS_DEFAULT_REGION=${REGION}

Where archives arrive (with the clients aws, az and curl, where you have them):
${users
  .flatMap(({ id, destinations }) =>
    Object.values(destinations).map(({ type }) => serverFor(type, ferry.destinations).lookAt(id)),
  )
  .map((line) => `  ${line}`)
  .join('\n')}
`;
}
