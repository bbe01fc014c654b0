import { defineDestinationType } from '../destination-type.ts';
import { toWebDavSettings, webDavSchema } from './settings.ts';

export const webdav = defineDestinationType({
  type: 'webdav',
  schema: webDavSchema,
  refine: toWebDavSettings,
  texts: ['WEBDAV_URL_CA_CERT'],
  open: async (settings, surroundings) =>
    (await import('./destination.ts')).openWebDav(settings, surroundings),
});
