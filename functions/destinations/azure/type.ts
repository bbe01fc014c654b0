import { defineDestinationType } from '../destination-type.ts';
import { azureSchema, toAzureSettings } from './settings.ts';

export const azure = defineDestinationType({
  type: 'azure',
  schema: azureSchema,
  refine: toAzureSettings,
  texts: ['AZURE_STORAGE_ENDPOINT_CA_CERT'],
  open: async (settings, surroundings) =>
    (await import('./destination.ts')).openAzure(settings, surroundings),
});
