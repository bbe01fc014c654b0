import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';

export interface EmbeddedSqs {
  readonly endpoint: string;
  readonly client: SQSClient;
  /** Makes a standard queue; resolves with its URL. */
  createQueue(name: string): Promise<string>;
  /** Takes every visible message off a queue. */
  drain(url: string): Promise<readonly Message[]>;
  stop(): Promise<void>;
}

/** SQS in this process (fauxqs) on a free loopback port. It checks no signature. */
export async function startSqs(): Promise<EmbeddedSqs> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  const client = new SQSClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    endpoint,
    client,
    async createQueue(name) {
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name }));
      if (QueueUrl === undefined) throw new Error('The queue has no URL.');
      return QueueUrl;
    },
    async drain(url) {
      const drained: Message[] = [];
      for (;;) {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: url,
            MaxNumberOfMessages: 10,
            MessageSystemAttributeNames: ['All'],
          }),
        );
        if (Messages.length === 0) return drained;
        drained.push(...Messages);
        for (const { ReceiptHandle } of Messages) {
          await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
        }
      }
    },
    async stop() {
      client.destroy();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
