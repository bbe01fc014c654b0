import { defineDestinationType } from '../destination-type.ts';
import { azureSchema, azureTraits, toAzureSettings } from './settings.ts';

export const azure = defineDestinationType({
  type: 'azure',
  schema: azureSchema,
  refine: toAzureSettings,
  traits: azureTraits,
  texts: ['AZURE_STORAGE_ENDPOINT_CA_CERT'],
  open: async (settings, surroundings) =>
    (await import('./destination.ts')).openAzure(settings, surroundings),
});
