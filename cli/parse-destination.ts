import { parseDestination as parseByType } from '../functions/destinations/registry.ts';
import { guardPlaces } from '../functions/egress/guarded-places.ts';

/** Checks the settings of one destination as Ferry will once they are written. */
export const parseDestination = guardPlaces(parseByType);
