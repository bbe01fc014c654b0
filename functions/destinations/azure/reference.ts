import { AUTHORITY, INSECURE, type References } from '../reference.ts';
import type { azureSchema } from './settings.ts';

/** A key of the right form that opens nothing. */
const EXAMPLE_KEY = `${'EXAMPLEKEY'.repeat(8)}EXAMPL==`;

export const azureReference: References<typeof azureSchema> = {
  AZURE_STORAGE_CONTAINER_NAME: {
    kind: 'text',
    default: 'required',
    example: 'archives',
    meaning: 'must exist',
  },
  AZURE_STORAGE_PATH: {
    kind: 'path',
    default: 'none',
    example: 'panel/nightly',
    meaning: 'folder in the container',
  },
  AZURE_STORAGE_ACCOUNT_NAME: {
    kind: 'text',
    default: 'none',
    example: 'alicebackups',
    meaning: 'needed with a key, and with a SAS that is a token alone',
  },
  AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: {
    kind: 'secret',
    default: 'one of the three is required',
    example: EXAMPLE_KEY,
    meaning: 'either key of the account',
  },
  AZURE_STORAGE_CONNECTION_STRING: {
    kind: 'secret',
    default: 'one of the three is required',
    example: `AccountName=alicebackups;AccountKey=${EXAMPLE_KEY};EndpointSuffix=core.windows.net`,
    meaning: 'with a key or a SAS; its address goes before `AZURE_STORAGE_ENDPOINT`',
  },
  AZURE_STORAGE_SAS: {
    kind: 'secret',
    default: 'one of the three is required',
    example: 'sv=2024-11-04&ss=b&srt=co&sp=rwdlc&se=2099-01-01T00:00:00Z&sig=…',
    meaning:
      'a shared access signature: its token, or the URL that Azure shows with it. It needs read, create, write, delete and list; one without read, or without both create and write, is refused. A URL may not contradict the account or the address of other settings',
  },
  AZURE_STORAGE_ENDPOINT: {
    kind: 'address',
    default: "Azure's public cloud",
    example: 'https://{{ .AccountName }}.blob.core.chinacloudapi.cn/',
    meaning:
      'of the Blob service, in which `{{ .AccountName }}` stands for the account: for other clouds and private endpoints',
  },
  AZURE_STORAGE_ENDPOINT_INSECURE: INSECURE,
  AZURE_STORAGE_ENDPOINT_CA_CERT: AUTHORITY,
  AZURE_STORAGE_ACCESS_TIER: {
    kind: 'text',
    default: "the account's",
    example: 'Cool',
    meaning:
      '`Hot`, `Cool`, `Cold` or `Archive`, in any spelling. Files in `Archive` cannot be read back, so `verify` may not be `readback` with it. The other tiers are for page blobs, which archives are not',
  },
};
