import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAzurite } from '../../local/azurite.ts';
import { createAuthority } from '../servers/certificates.ts';
import { azureSubject } from './azure-subject.ts';
import { conformance } from './conformance.ts';

const listPage = 20;

conformance('Azure on Azurite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-azurite-'));
  const server = await startAzurite({ folder, listPage });
  return azureSubject(server, {}, listPage, async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
});

conformance('Azure on Azurite over TLS', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-azurite-'));
  const authority = await createAuthority();
  const tls = await authority.issue('IP:127.0.0.1');
  const server = await startAzurite({ folder, tls, listPage });
  const trust = { AZURE_STORAGE_ENDPOINT_CA_CERT: authority.pem };
  return azureSubject(server, trust, listPage, async () => {
    await server.stop();
    await authority.remove();
    await rm(folder, { recursive: true });
  });
});
