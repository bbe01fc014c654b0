import { defineDestinationType } from '../destination-type.ts';
import { dropboxSchema, dropboxTraits, toDropboxSettings } from './settings.ts';

export const dropbox = defineDestinationType({
  type: 'dropbox',
  schema: dropboxSchema,
  refine: toDropboxSettings,
  traits: dropboxTraits,
  open: async (settings, surroundings) =>
    (await import('./destination.ts')).openDropbox(settings, surroundings),
});
