import type { Deployment } from './deployment.ts';
import { transfer } from './transfer.ts';

/**
 * Lambda's poller of the job queue: each free worker gets one message; what the function answers for is
 * deleted, everything else comes back by itself.
 */
export function pollQueue(deployment: Deployment): void {
  const { nature, queue, timeoutMs, workers } = deployment;

  const dispatch = () => {
    for (const worker of workers) {
      if (!worker.isIdle) continue;
      const message = queue.receive();
      if (!message) return;
      const { messageId, receiptHandle } = message;
      nature.history.note('poller', `received ${message.body}`, message.receiveCount);
      worker.invoke(
        timeoutMs,
        (invocation) => transfer(deployment, invocation, message),
        (how) => {
          const failed =
            typeof how === 'string' ||
            how.answer.batchItemFailures.some((item) => item.itemIdentifier === messageId);
          if (!failed) queue.delete(receiptHandle);
          nature.timeline.after(nature.random.between(5, 200), dispatch);
        },
      );
    }
  };
  queue.onVisible = dispatch;
}
