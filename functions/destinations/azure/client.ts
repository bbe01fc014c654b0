import {
  AnonymousCredential,
  ContainerClient,
  newPipeline,
  type RequestPolicyFactory,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { Egress, Purpose } from '../../core/egress.ts';
import { type Agents, createAgents } from '../http/agents.ts';
import { sendAgain, sendInTime } from '../http/deadline.ts';
import { azureError } from './errors.ts';
import type { AzureSettings } from './settings.ts';

/** Parts under way and a few small requests beside them. */
const SOCKETS = 24;

const ADDRESS = 'AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ENDPOINT';
export const PURPOSE: Purpose = { type: 'azure', settings: { host: ADDRESS, port: ADDRESS } };

/** The container of one user, and the one way to talk to it. */
export interface Container {
  readonly settings: AzureSettings;
  readonly egress: Egress;
  /** The name of the blob for a path below the user's folder. */
  nameOf(path: string): string;
  /**
   * Sends one idempotent request, and again where it breaks on the way. Ends as soon as the signal is
   * aborted.
   * @param bytes how large its body is
   * @throws FerryError for whatever goes wrong
   */
  call<T>(signal: AbortSignal, request: Request<T>, bytes?: number): Promise<T>;
  close(): void;
}

type Request<T> = (
  container: ContainerClient,
  options: { readonly abortSignal: AbortSignal },
) => Promise<T>;

/** Makes no connection yet. */
export function openContainer(settings: AzureSettings, egress: Egress): Container {
  const agents = createAgents(settings, SOCKETS, egress, PURPOSE);
  const client = createClient(settings, agents);
  return {
    settings,
    egress,
    nameOf: (path) => (settings.folder === '' ? path : `${settings.folder}/${path}`),
    call: (signal, request, bytes = 0) =>
      sendAgain(signal, async () => {
        try {
          return await sendInTime(signal, bytes, (abortSignal) => request(client, { abortSignal }));
        } catch (thrown) {
          throw azureError(thrown, signal);
        }
      }),
    close() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

function createClient(settings: AzureSettings, agents: Agents): ContainerClient {
  const { credentials, container } = settings;
  const url = new URL(container, settings.endpoint);
  if (credentials.with === 'sas') url.search = credentials.token.reveal();
  const credential =
    credentials.with === 'key'
      ? new StorageSharedKeyCredential(credentials.account, credentials.key.reveal().trim())
      : new AnonymousCredential();
  // The SDK waits as long as it thinks fit between its own tries, whatever the server asks for.
  const pipeline = newPipeline(credential, { retryOptions: { maxTries: 1 } });
  pipeline.factories.push(useAgents(agents));
  return new ContainerClient(url.href, pipeline);
}

/** Makes the SDK use our sockets, whose certificates are checked as the user wants. */
function useAgents({ httpAgent, httpsAgent }: Agents): RequestPolicyFactory {
  return {
    create: (next) => ({
      sendRequest(request) {
        request.agent = request.url.startsWith('https:') ? httpsAgent : httpAgent;
        return next.sendRequest(request);
      },
    }),
  };
}
