import { destinationTypes } from '../functions/destinations/registry.ts';
import { openPolicyTable } from '../functions/policy/table.ts';
import type { Ferry } from './ferry.ts';

/** What the operator allows, in the settings table beside the users. */
export function openPolicy({ documents, outputs }: Ferry) {
  const types = destinationTypes.map(({ type }) => type);
  // What is wrong with it is part of what is read.
  return openPolicyTable(documents, outputs.SettingsTable, types, () => {});
}
