import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Invocation, Nature } from './environment.ts';
import { ask, type Service } from './request.ts';

/** A message on the queue. */
export interface Message {
  readonly id: string;
  readonly body: string;
  receiveCount: number;
  /** When it can be received, epoch ms. */
  visibleAt: number;
  /** The newest receipt handle. */
  handle: string;
  isDeleted: boolean;
}

export interface Received {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly receiveCount: number;
}

/** A standard queue of SQS with a dead-letter queue behind it. */
export interface JobQueue {
  /** Messages that are not done with, hidden or not. */
  readonly messages: ReadonlySet<Message>;
  readonly deadLetters: readonly Message[];
  /** Bodies of everything that was ever sent. */
  readonly sent: ReadonlySet<string>;
  connect(invocation: Invocation): SQSClient;
  /** One visible message, hidden from now on; any of them, in no order. */
  receive(): Received | undefined;
  delete(receiptHandle: string): void;
  /** Called when a message may have become visible. */
  onVisible: () => void;
  /** Called when a message is sent, comes for the last time or becomes a dead letter. */
  readonly observers: ((what: 'sent' | 'dead', message: Message) => void)[];
}

const LONGEST_LATE_MS = 60_000;
const BASE = new SQSClient({ region: 'nowhere' });

export function openJobQueue(
  nature: Nature,
  visibilityMs: number,
  maxReceiveCount: number,
): JobQueue {
  const { timeline, random, faults, history } = nature;
  const service: Service = { name: 'queue', ms: [2, 80], attempts: 3 };
  const messages = new Set<Message>();
  const deadLetters: Message[] = [];
  const sent = new Set<string>();
  const byHandle = new Map<string, Message>();
  let ids = 0;

  const wake = (message: Message) => {
    timeline.after(message.visibleAt - timeline.now(), () => queue.onVisible());
  };
  const put = (body: string, delayMs: number) => {
    const late = faults.strikes('late') ? random.between(0, LONGEST_LATE_MS) : 0;
    ids += 1;
    const visibleAt = timeline.now() + delayMs + late;
    const id = `message-${ids}`;
    const message = { id, body, receiveCount: 0, visibleAt, handle: '', isDeleted: false };
    messages.add(message);
    sent.add(body);
    for (const observe of queue.observers) observe('sent', message);
    wake(message);
  };
  const answer = (command: unknown): unknown => {
    if (command instanceof SendMessageCommand) {
      const { MessageBody = '', DelaySeconds = 0 } = command.input;
      put(MessageBody, DelaySeconds * 1000);
      return {};
    }
    if (command instanceof SendMessageBatchCommand) {
      const entries = command.input.Entries ?? [];
      const refused = entries.filter(() => faults.strikes('throttled'));
      const taken = entries.filter((entry) => !refused.includes(entry));
      for (const { MessageBody = '' } of taken) put(MessageBody, 0);
      return {
        Successful: taken.map(({ Id }) => ({ Id })),
        Failed: refused.map(({ Id }) => ({ Id, Code: 'Throttled', Message: 'Too many' })),
      };
    }
    if (command instanceof ChangeMessageVisibilityCommand) {
      const { ReceiptHandle = '', VisibilityTimeout = 0 } = command.input;
      const message = byHandle.get(ReceiptHandle);
      if (!message || message.handle !== ReceiptHandle || message.isDeleted) {
        throw Object.assign(new Error('Not in flight'), { name: 'MessageNotInflight' });
      }
      message.visibleAt = timeline.now() + VisibilityTimeout * 1000;
      wake(message);
      return {};
    }
    throw new Error('No such request is known of the queue.');
  };

  const queue: JobQueue = {
    messages,
    deadLetters,
    sent,
    observers: [],
    onVisible: () => {},
    connect(invocation) {
      const send = (command: object) =>
        ask(nature, invocation, {
          service,
          what: command.constructor.name.replace('Command', ''),
          effect: () => answer(command),
          explain: (trouble) => Object.assign(new Error(trouble), { name: 'TimeoutError' }),
        });
      return Object.create(BASE, { send: { value: send } });
    },

    receive() {
      const visible = [...messages].filter(({ visibleAt }) => visibleAt <= timeline.now());
      const [first, ...others] = visible;
      if (!first) return undefined;
      const message = random.pick([first, ...others]);
      if (message.receiveCount >= maxReceiveCount) {
        messages.delete(message);
        message.isDeleted = true;
        deadLetters.push(message);
        history.note('queue', `dead letter ${message.body}`);
        for (const observe of queue.observers) observe('dead', message);
        return queue.receive();
      }
      message.receiveCount += 1;
      message.handle = `${message.id}#${message.receiveCount}`;
      byHandle.set(message.handle, message);
      // Now and then a copy on another server knows nothing of it.
      const again = faults.strikes('duplicate');
      message.visibleAt = timeline.now() + (again ? random.between(0, 5_000) : visibilityMs);
      wake(message);
      const { id: messageId, handle: receiptHandle, body, receiveCount } = message;
      return { messageId, receiptHandle, body, receiveCount };
    },

    delete(receiptHandle) {
      const message = byHandle.get(receiptHandle);
      // A delete may get lost, too.
      if (!message || faults.strikes('duplicate')) return;
      message.isDeleted = true;
      messages.delete(message);
    },
  };
  return queue;
}
