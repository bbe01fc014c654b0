import type { Context } from 'aws-lambda';

/** A function as Lambda runs it: an event, a context. */
export type Handler = (event: unknown, context: Context) => Promise<unknown>;

const unused = () => {
  throw new Error('Node 24 on Lambda has no callbacks.');
};

/** What Lambda tells a function of its invocation, which ends after so many ms. */
export function invocation(ms: number): Context {
  const endsAt = Date.now() + ms;
  return {
    awsRequestId: `request-${Math.random()}`,
    functionName: 'ferry',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:ferry',
    memoryLimitInMB: '512',
    logGroupName: 'ferry',
    logStreamName: 'ferry',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()),
    done: unused,
    fail: unused,
    succeed: unused,
  };
}
