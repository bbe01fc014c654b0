import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Invocation, Nature } from './environment.ts';
import { holds, type Item } from './expression.ts';
import { ask, type Service, type Trouble } from './request.ts';
import { update } from './update-expression.ts';

/** One write to a table, as it takes effect. */
export interface Write {
  readonly key: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  /** Undefined for what people write. */
  readonly by: Invocation | undefined;
}

/** A table of DynamoDB: single-item writes under conditions, all at once. */
export interface Table {
  readonly items: ReadonlyMap<string, Item>;
  /** What a person writes, without any condition; undefined deletes. */
  write(key: string, item: Item | undefined): void;
  /** Called after each write. */
  readonly observers: ((write: Write) => void)[];
  /** Called after each read of one item. */
  onRead: (key: string, by: Invocation) => void;
  /** The client that one invocation uses. */
  connect(invocation: Invocation): DynamoDBDocumentClient;
}

interface TableSettings {
  readonly name: string;
  readonly keyNames: readonly string[];
  /** Answers a query on an index. */
  readonly queryIndex?: (input: QueryCommandInput) => readonly Item[];
}

/** The SDK's paginators want the class, not only its methods. */
const BASE = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'nowhere' }));
const PAGE = 3;

export function openTable(nature: Nature, { name, keyNames, queryIndex }: TableSettings): Table {
  const items = new Map<string, Item>();
  const observers: Table['observers'] = [];
  const service: Service = { name, ms: [2, 60], attempts: 3 };
  const keyOf = (item: Item = {}) => keyNames.map((part) => String(item[part])).join('|');

  const put = (key: string, after: Item | undefined, by: Invocation | undefined) => {
    const before = items.get(key);
    if (after) items.set(key, after);
    else items.delete(key);
    for (const observe of observers) observe({ key, before, after, by });
  };

  const check = (condition: string | undefined, item: Item | undefined, input: Conditional) => {
    if (condition === undefined || holds(condition, item, placeholders(input))) return;
    throw new ConditionalCheckFailedException({ $metadata: {}, message: 'The condition failed' });
  };

  const query = (input: QueryCommandInput) => {
    const found = input.IndexName
      ? (queryIndex?.(input) ?? [])
      : [...items]
          .filter(([, item]) =>
            holds(input.KeyConditionExpression ?? '', item, placeholders(input)),
          )
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([, item]) => item);
    const from = Number(input.ExclusiveStartKey?.from ?? 0);
    const to = from + (input.Limit ?? PAGE);
    const LastEvaluatedKey = to < found.length ? { from: to } : undefined;
    return { Items: found.slice(from, to).map(copy), LastEvaluatedKey };
  };

  const answer = (command: unknown, by: Invocation): unknown => {
    if (command instanceof GetCommand) {
      const key = keyOf(command.input.Key);
      const item = items.get(key);
      table.onRead(key, by);
      return { Item: item && copy(item) };
    }
    if (command instanceof QueryCommand) return query(command.input);
    if (command instanceof PutCommand) {
      const { Item = {}, ConditionExpression } = command.input;
      const key = keyOf(Item);
      check(ConditionExpression, items.get(key), command.input);
      put(key, copy(Item), by);
      return {};
    }
    if (command instanceof DeleteCommand) {
      const key = keyOf(command.input.Key);
      check(command.input.ConditionExpression, items.get(key), command.input);
      put(key, undefined, by);
      return {};
    }
    if (command instanceof UpdateCommand) {
      const { Key, ConditionExpression, UpdateExpression = '' } = command.input;
      const key = keyOf(Key);
      const item = items.get(key);
      check(ConditionExpression, item, command.input);
      const after = copy(item ?? { ...Key });
      update(UpdateExpression, after, placeholders(command.input));
      put(key, copy(after), by);
      return { Attributes: copy(after) };
    }
    throw new Error('No such request is known of a table.');
  };

  const table: Table = {
    items,
    observers,
    onRead: () => {},
    write: (key, item) => put(key, item && copy(item), undefined),
    connect(invocation) {
      const send = (command: object) => {
        const what = `${command.constructor.name.replace('Command', '')} ${subject(command)}`;
        const effect = () => answer(command, invocation);
        return ask(nature, invocation, { service, what, effect, explain });
      };
      return Object.create(BASE, { send: { value: send } });
    },
  };
  return table;
}

interface Conditional {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

function placeholders(input: Conditional) {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = input;
  return { names, values };
}

/** As the table gives it back: nothing that is undefined, nothing shared. */
function copy<T extends Item>(item: T): T {
  return JSON.parse(JSON.stringify(item));
}

function subject(command: object): string {
  if (!('input' in command)) return '';
  const { input } = command;
  if (typeof input !== 'object' || input === null) return '';
  const key = 'Key' in input ? input.Key : 'Item' in input ? input.Item : {};
  if (typeof key !== 'object' || key === null) return '';
  return 'sk' in key ? String(key.sk) : 'userId' in key ? String(key.userId) : '';
}

function explain(trouble: Trouble): Error {
  const name = trouble === 'throttled' ? 'ProvisionedThroughputExceededException' : 'TimeoutError';
  return Object.assign(new Error(`The table gives no answer: ${trouble}`), { name });
}
