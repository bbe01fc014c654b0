import { once } from 'node:events';
import { join } from 'node:path';
import { makeArchives } from './archives.ts';
import { type Choices, HELP, readChoices } from './command-line.ts';
import { DeliveryLog } from './delivery-log.ts';
import { demonstrate } from './demonstration.ts';
import { writeGuide } from './guide.ts';
import { announceFerry, startLocalFerry } from './local-ferry.ts';
import { showProgress } from './progress.ts';
import { formatJson, formatTable } from './report.ts';
import { createScratchFolder } from './scratch-folder.ts';
import { inventUsers } from './users.ts';

/** How long it may take until Ferry runs, and then to deliver everything: many times the usual. */
const START_MS = 2 * 60_000;
const PATIENCE_MS = 4 * 60_000;
const INTERRUPTED = 130;

/** The exit status. */
async function main({ json, keep }: Choices, signal: AbortSignal): Promise<number> {
  const log = new DeliveryLog();
  const out = json ? process.stderr : process.stdout;
  using progress = showProgress(log, out);
  const { say } = progress;
  const users = inventUsers();
  const starting = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
  await using scratch = await createScratchFolder();
  await using background = new AsyncDisposableStack();
  // Made while Ferry starts; a failure shows up where they are awaited.
  const making = makeArchives(users, join(scratch.path, 'archives'), starting);
  const made = Promise.allSettled([making]);
  background.defer(async () => void (await made));
  await using ferry = await startLocalFerry({
    users,
    scratch: scratch.path,
    signal: starting,
    say,
    log,
  });
  const results = await demonstrate(ferry, {
    users,
    archives: await making,
    signal,
    say,
    patienceMs: PATIENCE_MS,
  });
  const failed = results.some(({ verified }) => !verified);
  say(`\n${formatTable(results)}\n`);
  say(`No worker process took more than ${log.peakMemoryMiB} MiB.`);
  if (json) process.stdout.write(`${formatJson(results)}\n`);
  if (keep) {
    await using _announced = await announceFerry(ferry);
    say(await writeGuide(ferry, users, scratch.path));
    ferry.pipeline.startTicking();
    if (!signal.aborted) await once(signal, 'abort');
  }
  return failed ? 1 : 0;
}

/** Whoever runs this may have a profile, a region or an endpoint set for AWS: none of it counts here. */
function forgetAwsSettings(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) delete process.env[name];
  }
  process.env.AWS_CONFIG_FILE = '/dev/null';
  process.env.AWS_SHARED_CREDENTIALS_FILE = '/dev/null';
}

/** Aborts at the first Ctrl-C or TERM; at the second the process ends there and then. */
function onInterrupt(): AbortSignal {
  const interrupted = new AbortController();
  const interrupt = () => {
    if (interrupted.signal.aborted) process.exit(INTERRUPTED);
    process.stderr.write('\nStopping; once more to stop at once.\n');
    interrupted.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return interrupted.signal;
}

function choose(): Choices {
  try {
    return readChoices(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exit(2);
  }
}

const choices = choose();
if (choices.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
forgetAwsSettings();
const signal = onInterrupt();
try {
  process.exitCode = await main(choices, signal);
} catch (error) {
  process.exitCode = signal.aborted ? INTERRUPTED : 1;
  if (!signal.aborted) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  }
}
