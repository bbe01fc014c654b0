import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findStage } from '../../infra/stages.ts';
import { propertiesOf, ROOT, synthesize } from './synthesis.ts';

const { state, pipeline } = synthesize(findStage('prod'));

const oneOrMore = <Schema extends z.ZodType>(schema: Schema) =>
  z.union([z.array(schema), schema.transform((only) => [only])]);
const document = z.object({
  Statement: z.array(
    z.object({
      Effect: z.string(),
      Action: oneOrMore(z.string()),
      Resource: oneOrMore(z.unknown()),
      Condition: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});
const role = z.object({
  ManagedPolicyArns: z.array(z.unknown()).optional(),
  Policies: z.array(z.object({ PolicyDocument: document })).default([]),
});

interface Statement {
  readonly role: string;
  readonly actions: readonly string[];
  /** As JSON text. */
  readonly resources: readonly string[];
  readonly condition: string;
}

/** All that the roles of a stack may do. */
function statementsOf(template: Template): Statement[] {
  const roles = propertiesOf(template, 'AWS::IAM::Role', role);
  const policies = propertiesOf(
    template,
    'AWS::IAM::Policy',
    z.object({ PolicyDocument: document, Roles: z.array(z.object({ Ref: z.string() })) }),
  );
  const documents = [
    ...[...roles].flatMap(([id, { Policies }]) =>
      Policies.map(({ PolicyDocument }) => ({ id, PolicyDocument })),
    ),
    ...[...policies.values()].flatMap(({ Roles, PolicyDocument }) =>
      Roles.map(({ Ref }) => ({ id: Ref, PolicyDocument })),
    ),
  ];
  return documents.flatMap(({ id, PolicyDocument }) =>
    PolicyDocument.Statement.map((statement) => ({
      role: id,
      actions: statement.Action,
      resources: statement.Resource.map((resource) => JSON.stringify(resource)),
      condition: JSON.stringify(statement.Condition ?? {}),
    })),
  );
}

const statements = statementsOf(pipeline);
const isSecretsKey = (resources: readonly string[]) => resources.join().includes('SecretsKey');
const marks = z.object({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })) });
const keyPolicy = z.object({ KeyPolicy: document });
const of = (prefix: string) => statements.filter((found) => found.role.startsWith(prefix));
const actionsOf = (prefix: string) => of(prefix).flatMap((found) => found.actions);

describe('roles', () => {
  it('exist for the five functions and the two schedules alone', () => {
    expect([...propertiesOf(pipeline, 'AWS::IAM::Role', role).keys()]).toHaveLength(7);
    expect(statementsOf(state)).toEqual([]);
  });

  it('have no managed policy', () => {
    for (const [id, found] of propertiesOf(pipeline, 'AWS::IAM::Role', role)) {
      expect(found.ManagedPolicyArns ?? [], id).toEqual([]);
    }
  });

  it('name every action', () => {
    for (const action of statements.flatMap((found) => found.actions)) {
      expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
    }
  });

  it('name every resource, except for traces, which have none', () => {
    const everything = statements.filter((found) => found.resources.includes('"*"'));
    for (const { actions } of everything) {
      expect(actions).toEqual(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']);
    }
  });

  it('use the key of the data only through the service that holds the data', () => {
    const keys = statements.filter(
      (found) =>
        found.actions.some((name) => name.startsWith('kms:')) && !isSecretsKey(found.resources),
    );
    expect(keys).toHaveLength(7);
    for (const { condition } of keys) expect(condition).toContain('kms:ViaService');
  });
});

describe('the key of the secrets', () => {
  const own = statements.filter(({ resources }) => isSecretsKey(resources));

  it('seals for settings-changed, opens for transfer and check, and does nothing else', () => {
    expect(own.map(({ role: id, actions }) => [id.replace(/Handler.*/, ''), actions])).toEqual([
      ['SettingsChanged', ['kms:GenerateDataKey']],
      ['Transfer', ['kms:Decrypt']],
      ['Check', ['kms:Decrypt']],
    ]);
  });

  it('is used for settings alone, as the encryption context says', () => {
    for (const { condition } of own) {
      expect(condition).toContain('"kms:EncryptionContext:purpose":"setting"');
    }
  });

  it('lets only roles with the mark open anything, which transfer and check alone have', () => {
    const marked = [...propertiesOf(pipeline, 'AWS::IAM::Role', marks)].filter(([, { Tags }]) =>
      Tags.some(({ Key, Value }) => Key === 'ferry:secrets' && Value === 'open'),
    );
    expect(marked.map(([id]) => id.replace(/Handler.*/, '')).sort()).toEqual(['Check', 'Transfer']);
    const policies = [...propertiesOf(state, 'AWS::KMS::Key', keyPolicy)].filter(([id]) =>
      id.startsWith('SecretsKey'),
    );
    const denied = policies.flatMap(([, { KeyPolicy }]) =>
      KeyPolicy.Statement.filter(
        ({ Effect, Action }) => Effect === 'Deny' && Action.includes('kms:Decrypt'),
      ),
    );
    expect(denied).toEqual([
      expect.objectContaining({
        Condition: { StringNotEquals: { 'aws:PrincipalTag/ferry:secrets': 'open' } },
      }),
    ]);
  });
});

/** What each call of the AWS SDK has to be allowed to do. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  ChangeMessageVisibilityCommand: ['sqs:ChangeMessageVisibility'],
  DecryptCommand: ['kms:Decrypt'],
  DeleteCommand: ['dynamodb:DeleteItem'],
  GenerateDataKeyCommand: ['kms:GenerateDataKey'],
  GetCommand: ['dynamodb:GetItem'],
  GetObjectCommand: ['s3:GetObject', 's3:GetObjectVersion'],
  HeadObjectCommand: ['s3:GetObject', 's3:GetObjectVersion'],
  PutCommand: ['dynamodb:PutItem'],
  SendMessageBatchCommand: ['sqs:SendMessage'],
  SendMessageCommand: ['sqs:SendMessage'],
  PutEventsCommand: ['events:PutEvents'],
  UpdateCommand: ['dynamodb:UpdateItem'],
  paginateListObjectsV2: ['s3:ListBucket'],
  paginateQuery: ['dynamodb:Query'],
  paginateScan: ['dynamodb:Scan'],
};

/** What calls need that only the command line makes. */
const OPERATOR: Readonly<Record<string, readonly string[]>> = {
  DeleteCommand: ['dynamodb:DeleteItem'],
  DescribeStacksCommand: ['cloudformation:DescribeStacks'],
  InvokeCommand: ['lambda:InvokeFunction'],
  Upload: ['s3:PutObject', 's3:AbortMultipartUpload'],
  paginateScan: ['dynamodb:Scan'],
};
/** What the command line does through the capabilities of the functions: runs, queue. */
const BY_CAPABILITY = ['dynamodb:PutItem', 'dynamodb:Query', 'sqs:SendMessage'];

/** What Lambda does in a function's name to feed it from a queue and from a stream. */
const POLLING = [
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
  'sqs:ReceiveMessage',
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
];

const SEALING = ['kms:Decrypt', 'kms:GenerateDataKey'];

describe('functions together', () => {
  it('may do what their code calls and Lambda needs, and nothing besides', () => {
    const folders = ['settings', 'policy', 'runs', 'source', 'queue', 'events', 'secrets'];
    const code = folders
      .flatMap((folder) => globSync(join(ROOT, 'functions', folder, '**', '*.ts')))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const calls = [...code.matchAll(/\bnew (\w+Command)\(|\b(paginate\w+)\(/g)].map(
      ([, command, paginator]) => command ?? paginator ?? '',
    );
    const needed = calls.flatMap((call) => ACTIONS[call] ?? [`for ${call}: name it in this test`]);
    const allowed = statements
      .flatMap((found) => found.actions)
      .filter((action) => /^(dynamodb|events|s3|sqs):/.test(action) || SEALING.includes(action));
    expect([...new Set(allowed)].sort()).toEqual([...new Set([...needed, ...POLLING])].sort());
  });
});

describe('the tick', () => {
  it('can do nothing but invoke enqueue-due and park what it could not deliver', () => {
    expect(actionsOf('EnqueueDueScheduleRole')).toEqual([
      'lambda:InvokeFunction',
      'sqs:SendMessage',
    ]);
  });
});

describe('enqueue-due', () => {
  it('reaches the due index, the rows and the job queue, and neither archives nor deliveries', () => {
    const actions = actionsOf('EnqueueDueHandlerRole');
    expect(actions.filter((name) => name.startsWith('s3:'))).toEqual([]);
    const query = of('EnqueueDueHandlerRole').find((found) =>
      found.actions.includes('dynamodb:Query'),
    );
    expect(query?.resources.join()).toMatch(/Settings.*\/index\/due/);
    expect(actions.filter((name) => name.startsWith('dynamodb:'))).toEqual([
      'dynamodb:Query',
      'dynamodb:GetItem',
      'dynamodb:UpdateItem',
    ]);
  });
});

describe('sweep', () => {
  const own = of('SweepHandlerRole');

  it('finds jobs by the index, and neither deletes an item nor reaches archives', () => {
    const query = own.filter((found) => found.actions.includes('dynamodb:Query'));
    expect(query).toHaveLength(1);
    expect(query[0]?.resources.join()).toMatch(/Runs.*\/index\/sweep/);
    const actions = actionsOf('SweepHandlerRole');
    expect(actions).not.toContain('dynamodb:DeleteItem');
    expect(actions.filter((name) => name.startsWith('s3:'))).toEqual([]);
  });

  it('reads no row of a user, and only notes in it how a run ended', () => {
    const onSettings = own.filter(
      (found) =>
        found.resources.join().includes('Settings') &&
        found.actions.some((name) => name.startsWith('dynamodb:')),
    );
    expect(onSettings.flatMap((found) => found.actions)).toEqual(['dynamodb:UpdateItem']);
  });

  it('puts jobs on the queue and takes none off', () => {
    const actions = actionsOf('SweepHandlerRole').filter((name) => name.startsWith('sqs:'));
    expect(actions).toEqual(['sqs:SendMessage']);
  });

  it('is invoked by a schedule that can do nothing else', () => {
    expect(actionsOf('SweepScheduleRole')).toEqual(['lambda:InvokeFunction', 'sqs:SendMessage']);
  });
});

describe('settings-changed', () => {
  it('reaches the rows and their stream, and neither archives nor jobs', () => {
    const actions = actionsOf('SettingsChangedHandlerRole');
    expect(actions.filter((name) => name.startsWith('s3:'))).toEqual([]);
    const sending = of('SettingsChangedHandlerRole').find((found) =>
      found.actions.includes('sqs:SendMessage'),
    );
    expect(sending?.resources.join()).toContain('SettingsChangedDeadLetters');
  });

  it('reads what is known of runs, and writes none of it', () => {
    const onRuns = of('SettingsChangedHandlerRole').filter((found) =>
      found.resources.join().includes('Runs'),
    );
    expect(onRuns.flatMap((found) => found.actions)).toEqual(['dynamodb:Query']);
  });
});

describe('events', () => {
  it('are raised on the default bus alone, by those that find out', () => {
    const raising = statements.filter((found) => found.actions.includes('events:PutEvents'));
    expect(raising.map(({ role }) => role.replace(/HandlerRole.*/, '')).sort()).toEqual([
      'SettingsChanged',
      'Sweep',
      'Transfer',
    ]);
    for (const { resources } of raising) expect(resources.join()).toMatch(/event-bus\/default/);
  });
});

describe('transfer', () => {
  const own = of('TransferHandlerRole');

  it('reads archives of this account and never writes or deletes one', () => {
    const onBucket = own.filter((found) => found.actions.some((name) => name.startsWith('s3:')));
    for (const { actions, condition } of onBucket) {
      for (const action of actions) expect(action).toMatch(/^s3:(Get|List)/);
      expect(condition).toContain('s3:ResourceAccount');
    }
    expect(onBucket).toHaveLength(2);
  });

  it('changes rows of users only in place', () => {
    const onSettings = own.filter(
      (found) =>
        found.resources.join().includes('Settings') &&
        found.actions.some((name) => name.startsWith('dynamodb:')),
    );
    expect(onSettings.flatMap((found) => found.actions)).toEqual([
      'dynamodb:GetItem',
      'dynamodb:UpdateItem',
    ]);
  });
});

describe('check', () => {
  const own = of('CheckHandlerRole');

  it('reads rows and what settings refer to, and changes nothing but findings', () => {
    const actions = actionsOf('CheckHandlerRole').filter((name) =>
      /^(dynamodb|s3|sqs):/.test(name),
    );
    expect(actions).toEqual([
      'dynamodb:GetItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      's3:GetObject',
      's3:ListBucket',
    ]);
    const writing = own.find((found) => found.actions.includes('dynamodb:PutItem'));
    expect(writing?.resources.join()).toMatch(/Runs/);
  });
});

describe('the policy of operators', () => {
  const managed = z.object({ PolicyDocument: document });
  const [policy] = propertiesOf(pipeline, 'AWS::IAM::ManagedPolicy', managed).values();
  const allowed = policy?.PolicyDocument.Statement ?? [];
  const onAction = (action: string) => allowed.filter(({ Action }) => Action.includes(action));

  it('is the only managed one, and names every resource', () => {
    pipeline.resourceCountIs('AWS::IAM::ManagedPolicy', 1);
    for (const { Resource } of allowed) expect(Resource).not.toContain('*');
  });

  it('has what each call of the command line needs, and nothing besides', () => {
    const code = globSync(join(ROOT, 'cli', '**', '*.ts'))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const calls = [...code.matchAll(/\bnew (\w+Command|Upload)\(|\b(paginate\w+)\(/g)].map(
      ([, command, paginator]) => command ?? paginator ?? '',
    );
    const needed = calls.flatMap((call) => {
      return OPERATOR[call] ?? ACTIONS[call] ?? [`for ${call}: name it in this test`];
    });
    const given = allowed
      .flatMap(({ Action }) => Action)
      .filter((name) => !name.startsWith('kms:'));
    expect([...new Set(given)].sort()).toEqual([...new Set([...needed, ...BY_CAPABILITY])].sort());
  });

  it('lets nobody read archives, or take jobs off the queue', () => {
    expect(onAction('s3:GetObject')).toEqual([]);
    expect(onAction('sqs:ReceiveMessage')).toEqual([]);
  });

  it('lets nobody write what was delivered: runs get a mark that one is cancelled', () => {
    const onRuns = allowed.filter(({ Resource }) => JSON.stringify(Resource).includes('Runs'));
    expect(onRuns.flatMap(({ Action }) => Action)).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
    ]);
  });
});
