import { parseDestination as parseByType } from '../destinations/registry.ts';
import { guardPlaces } from '../egress/guarded-places.ts';

/** Checks the settings of one destination, by its type and by all that the operator's policy says. */
export const parseDestination = guardPlaces(parseByType);
