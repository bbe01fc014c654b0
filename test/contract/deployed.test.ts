import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackNames } from '../../cli/deployed.ts';
import { deploymentOutputs } from '../../local/running-ferry.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { runCommand } from './command-line.ts';

/** `ferry` without `--local`: a deployment is found by the outputs of its stacks. */
describe('a deployed Ferry', () => {
  let database: EmbeddedDynamoDb;
  let cloudFormation: Server;
  let environment: Record<string, string>;
  /** Outputs by the name of the stack. */
  const stacks = new Map<string, Record<string, string>>();

  beforeAll(async () => {
    database = await startDynamoDb();
    cloudFormation = createServer(async (request, response) => {
      const asked = new URLSearchParams(await text(request));
      const name = asked.get('StackName') ?? '';
      const outputs = stacks.get(name);
      response.setHeader('content-type', 'text/xml');
      if (outputs) response.end(describeStacks(name, outputs));
      else response.writeHead(400).end(refusal(`Stack with id ${name} does not exist`));
    });
    cloudFormation.listen(0, '127.0.0.1');
    await once(cloudFormation, 'listening');
    const address = cloudFormation.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    environment = {
      AWS_ENDPOINT_URL_CLOUDFORMATION: `http://127.0.0.1:${address.port}`,
      AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_REGION: 'eu-central-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const all = Object.fromEntries(
      Object.keys(deploymentOutputs.shape).map((name) => [name, 'of no matter here']),
    );
    const { CheckFunction = '', JobQueueUrl = '', ...state } = all;
    const [stateStack = '', pipelineStack = ''] = stackNames('prod');
    stacks.set(stateStack, { ...state, SettingsTable: database.settingsTable });
    stacks.set(pipelineStack, { CheckFunction, JobQueueUrl });
    const spec = { v: 1, destinations: {} };
    const Item = { userId: 'alice', spec };
    await database.documents.send(new PutCommand({ TableName: database.settingsTable, Item }));
  });
  afterAll(async () => {
    cloudFormation.close();
    await database.stop();
  });

  it('is found by its stage, given or in the environment', async () => {
    const given = await runCommand(['user', 'list', '--stage', 'prod', '--json'], environment);
    expect(given).toMatchObject({ status: 0, document: [{ userId: 'alice' }] });
    const named = { ...environment, FERRY_STAGE: 'prod' };
    expect(await runCommand(['user', 'list', '--json'], named)).toEqual(given);
  });

  it('that is not there is told with what to give', async () => {
    expect(await runCommand(['user', 'list', '--json'], environment)).toMatchObject({
      status: 3,
      document: { error: expect.stringMatching(/Ferry-dev-\w+ in .*--stage/) },
    });
  });

  it('of an older version is told with what it lacks', async () => {
    const [stateStack = '', pipelineStack = ''] = stackNames('old');
    stacks.set(stateStack, stacks.get(stackNames('prod')[0] ?? '') ?? {});
    stacks.set(pipelineStack, { JobQueueUrl: 'x' });
    expect(await runCommand(['user', 'list', '--stage', 'old'], environment)).toMatchObject({
      status: 1,
      told: expect.stringMatching(/CheckFunction/),
    });
  });

  it('cannot be reached without credentials or Region, in words that say so', async () => {
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...anonymous } = environment;
    const nobody = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    const list = ['user', 'list', '--stage', 'prod'];
    expect(await runCommand(list, { ...anonymous, ...nobody })).toMatchObject({
      status: 1,
      told: expect.stringMatching(/no AWS credentials/),
    });
    const { AWS_REGION: _region, ...nowhere } = environment;
    expect(await runCommand(list, { ...nowhere, ...nobody })).toMatchObject({
      status: 1,
      told: expect.stringMatching(/--region/),
    });
    const elsewhere = [...list, '--region', 'eu-west-1'];
    expect(await runCommand(elsewhere, { ...nowhere, ...nobody })).toMatchObject({ status: 0 });
  });
});

function describeStacks(name: string, outputs: Readonly<Record<string, string>>): string {
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><CreationTime>2026-11-22T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
}

function refusal(message: string): string {
  return `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error><RequestId>x</RequestId></ErrorResponse>`;
}
