import { toFerryError } from '../../../functions/core/errors.ts';
import { jobId } from '../../../functions/core/job.ts';
import type { PartPlan } from '../../../functions/core/parts.ts';
import type { Destination, RemoteFile, Upload } from '../../../functions/destinations/contract.ts';
import type { SettingsReader } from '../../../functions/transfer/ports.ts';
import type { Invocation } from '../cloud/environment.ts';
import { type Deployment, placeOf } from '../functions/deployment.ts';

/** Watches what a job asks of its destination. */
export function watchDestination(
  settings: SettingsReader,
  deployment: Deployment,
  invocation: Invocation,
): SettingsReader {
  return {
    isActive: settings.isActive,
    async read(job, standing) {
      const found = await settings.read(job, standing);
      if (!found?.ok) return found;
      const watching = { deployment, invocation, place: placeOf(job), job: jobId(job) };
      const open = async () => watched(await noteRefusal(found.value.open(), watching), watching);
      return { ok: true, value: { ...found.value, open } };
    },
  };
}

interface Watching {
  readonly deployment: Deployment;
  readonly invocation: Invocation;
  readonly place: string;
  readonly job: string;
}

/** Notes what is refused for good. */
async function noteRefusal<T>(work: Promise<T>, { deployment, job }: Watching): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    const error = toFerryError(thrown);
    const isFinal = error.retry === 'never' && error.scope === 'destination';
    if (isFinal) deployment.jobs.refused(job, error.message);
    throw thrown;
  }
}

function watched(inner: Destination, watching: Watching): Destination {
  const { deployment, invocation, place, job } = watching;
  const { judge } = deployment.nature;
  const held = { bytes: 0, parts: 0 };

  const noting = <T>(work: Promise<T>) => noteRefusal(work, watching);
  const watchUpload = (file: RemoteFile, plan: PartPlan, upload: Upload): Upload => ({
    held: upload.held,
    async writePart(part, signal, span) {
      deployment.leases.sent(file.path, invocation);
      deployment.deliveries.sent(place, file, part.number, plan.count, job);
      held.bytes += part.length;
      held.parts += 1;
      let isHeld = true;
      const release = () => {
        if (!isHeld) return;
        isHeld = false;
        held.bytes -= part.length;
        held.parts -= 1;
        span?.release();
      };
      if (held.parts > 1 && held.bytes > deployment.inFlight) {
        judge.violate('bounded memory', `${held.bytes} bytes of ${held.parts} parts were held`);
      }
      try {
        await noting(upload.writePart(part, signal, span && { ...span, release }));
      } finally {
        release();
      }
    },
    checkpoint: () => noting(upload.checkpoint()),
    finish(digest, signal) {
      deployment.leases.publishes(place, file.path, invocation);
      return noting(upload.finish(digest, signal));
    },
    abort: () => upload.abort(),
  });

  return {
    ...inner,
    async begin(file, plan, signal) {
      return watchUpload(file, plan, await noting(inner.begin(file, plan, signal)));
    },
    async resume(file, plan, checkpoint, signal) {
      const upload = await noting(inner.resume(file, plan, checkpoint, signal));
      deployment.deliveries.resumed(place, file, upload.held);
      return watchUpload(file, plan, upload);
    },
  };
}
