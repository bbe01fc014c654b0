import { defineDestinationType } from '../destination-type.ts';
import { sshSchema, sshTraits, toSshSettings } from './settings.ts';

export const ssh = defineDestinationType({
  type: 'ssh',
  schema: sshSchema,
  refine: toSshSettings,
  traits: sshTraits,
  texts: ['SSH_IDENTITY_FILE'],
  open: async (settings, surroundings) =>
    (await import('./destination.ts')).openSsh(settings, surroundings),
});
