import { defineDestinationType } from '../destination-type.ts';
import { s3Schema, toS3Settings } from './settings.ts';

export const s3 = defineDestinationType({
  type: 's3',
  schema: s3Schema,
  refine: toS3Settings,
  texts: ['AWS_ENDPOINT_CA_CERT'],
  open: async (settings, surroundings) =>
    (await import('./destination.ts')).openS3(settings, surroundings),
});
