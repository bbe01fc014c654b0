import { defineDestinationType } from '../destination-type.ts';
import { s3Schema, s3Traits, toS3Settings } from './settings.ts';

export const s3 = defineDestinationType({
  type: 's3',
  schema: s3Schema,
  refine: toS3Settings,
  traits: s3Traits,
  texts: ['AWS_ENDPOINT_CA_CERT'],
  open: async (settings, surroundings) =>
    (await import('./destination.ts')).openS3(settings, surroundings),
});
