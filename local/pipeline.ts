import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { startEventSource } from './event-source.ts';
import { type InvokeEndpoint, startInvokeEndpoint } from './invoke-endpoint.ts';
import { LambdaFunction } from './lambda-function.ts';
import { startTicking, tickEvent } from './schedule-tick.ts';
import type { Services } from './services.ts';
import { startSettingsFeed } from './settings-feed.ts';
import type { Topology } from './topology.ts';

/** The deployed functions at work on this machine, joined as the templates join them. */
export interface Pipeline extends AsyncDisposable {
  /** Lets functions be called over HTTP, by Lambda's Invoke API; ends with the pipeline. */
  serveInvoke(): Promise<InvokeEndpoint>;
  /** Lets every schedule fire once, for this planned instant. */
  tick(scheduledTime: Date): Promise<void>;
  /** Lets the schedules fire by the clock from now on. */
  startTicking(): void;
  /** Kills the worker processes that handle such an event now; how many these are. */
  kill(isMeant: (event: unknown) => boolean): number;
  /** Messages that wait on the queues which feed functions, are under way or come back later. */
  countMessages(): Promise<number>;
}

export interface PipelineListener {
  /** Gets every line that a function logs. */
  onLog(line: string): void;
  /** Gets what went wrong outside the functions or made an invocation fail. */
  onError(error: unknown): void;
}

export function startPipeline(
  topology: Topology,
  services: Services,
  listener: PipelineListener,
): Pipeline {
  const functions = new Map(
    topology.functions.map((definition) => [
      definition.name,
      new LambdaFunction(definition, (line) => listener.onLog(line)),
    ]),
  );
  const invoke = (name: string, event: unknown): Promise<unknown> => {
    const found = functions.get(name);
    if (!found) throw new Error(`The templates have no function ${name}.`);
    return found.invoke(event);
  };
  let stopping = false;
  // Whatever is under way fails when its process is ended.
  const onError = (error: unknown) => {
    if (!stopping) listener.onError(error);
  };

  const sources = [
    ...topology.queueMappings.map((mapping) =>
      startEventSource({
        client: services.sqs,
        mapping,
        invoke: (event) => invoke(mapping.functionName, event),
        onError,
      }),
    ),
    ...topology.streamMappings.map((mapping) =>
      startSettingsFeed({
        dynamodb: services.dynamodb,
        mapping,
        invoke: (event) => invoke(mapping.functionName, event),
        onError,
      }),
    ),
  ];
  const clocks = new DisposableStack();
  const endpoints = new AsyncDisposableStack();

  return {
    async serveInvoke() {
      const has = (name: string) => functions.has(name);
      return endpoints.use(await startInvokeEndpoint({ has, invoke }));
    },
    async tick(scheduledTime) {
      for (const schedule of topology.schedules) {
        await invoke(schedule.functionName, tickEvent(schedule, scheduledTime));
      }
    },
    startTicking() {
      for (const schedule of topology.schedules) {
        clocks.use(
          startTicking({
            schedule,
            invoke: (event) => invoke(schedule.functionName, event),
            onError,
          }),
        );
      }
    },
    kill(isMeant) {
      return [...functions.values()].reduce((sum, each) => sum + each.kill(isMeant), 0);
    },
    async countMessages() {
      const counts = topology.queueMappings.map(({ queueUrl }) => countIn(services, queueUrl));
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    },
    async [Symbol.asyncDispose]() {
      stopping = true;
      clocks.dispose();
      await Promise.all([
        endpoints.disposeAsync(),
        ...sources.map((source) => source.stop()),
        ...[...functions.values()].map((each) => each.stop()),
      ]);
    },
  };
}

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

async function countIn({ sqs }: Services, queueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...COUNTS] }),
  );
  return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}
