import { defineDestinationType } from '../destination-type.ts';
import { toWebDavSettings, webDavSchema, webDavTraits } from './settings.ts';

export const webdav = defineDestinationType({
  type: 'webdav',
  schema: webDavSchema,
  refine: toWebDavSettings,
  traits: webDavTraits,
  texts: ['WEBDAV_URL_CA_CERT'],
  open: async (settings, surroundings) =>
    (await import('./destination.ts')).openWebDav(settings, surroundings),
});
