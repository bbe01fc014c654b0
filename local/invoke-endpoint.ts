import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { InvocationError } from './lambda-process.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
/** What Lambda takes in one synchronous call, in bytes. */
const LARGEST_EVENT = 6 * 1024 * 1024;

/** The functions that can be called, by name. */
export interface InvokableFunctions {
  has(name: string): boolean;
  /** @throws InvocationError where the function gave no answer */
  invoke(name: string, event: unknown): Promise<unknown>;
}

export interface InvokeEndpoint extends AsyncDisposable {
  readonly url: string;
}

/**
 * Lambda's Invoke API on loopback, for synchronous calls: how the command line reaches a function.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function startInvokeEndpoint(functions: InvokableFunctions): Promise<InvokeEndpoint> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      refuse(response, 500, 'ServiceException', error instanceof Error ? error.message : '');
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = decodeURIComponent(INVOKE.exec(request.url ?? '')?.[1] ?? '');
    if (request.method !== 'POST' || !functions.has(name)) {
      return refuse(response, 404, 'ResourceNotFoundException', `Function not found: ${name}`);
    }
    const kind = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
    if (kind !== 'RequestResponse') {
      return refuse(response, 400, 'InvalidParameterValueException', 'Synchronous calls only.');
    }
    if (Number(request.headers['content-length'] ?? 0) > LARGEST_EVENT) {
      return refuse(response, 413, 'RequestTooLargeException', 'The event is too large.');
    }
    const body = await text(request);
    let event: unknown;
    try {
      event = body === '' ? {} : JSON.parse(body);
    } catch {
      return refuse(response, 400, 'InvalidRequestContentException', 'The event is not JSON.');
    }
    try {
      send(response, 200, await functions.invoke(name, event));
    } catch (error) {
      if (!(error instanceof InvocationError)) throw error;
      const [errorType = 'Error', ...words] = error.message.split(': ');
      const failed = { errorType, errorMessage: words.join(': ') || error.message };
      send(response, 200, failed, { 'x-amz-function-error': 'Unhandled' });
    }
  }

  // A function may take its time, and says nothing meanwhile.
  server.requestTimeout = 0;
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => stopServer(server),
  };
}

function refuse(response: ServerResponse, status: number, type: string, message: string): void {
  if (response.headersSent) response.destroy();
  else send(response, status, { Type: 'User', Message: message }, { 'x-amzn-errortype': type });
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body ?? null));
}
