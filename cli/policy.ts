import { TYPE_NAMES } from '../functions/destinations/type-names.ts';
import { openPolicyTable } from '../functions/policy/table.ts';
import type { Ferry } from './ferry.ts';

/** What the operator allows, in the settings table beside the users. */
export function openPolicy({ documents, outputs }: Ferry) {
  // What is wrong with it is part of what is read.
  return openPolicyTable(documents, outputs.SettingsTable, TYPE_NAMES, () => {});
}
