import type { FerryCommand } from './command.ts';
import { cancel } from './commands/cancel.ts';
import { check } from './commands/check.ts';
import { dropboxConnect } from './commands/dropbox-connect.ts';
import { exportUser } from './commands/export.ts';
import { importUser } from './commands/import.ts';
import { policySet } from './commands/policy-set.ts';
import { policyShow } from './commands/policy-show.ts';
import { receipts } from './commands/receipts.ts';
import { run } from './commands/run.ts';
import { runs } from './commands/runs.ts';
import { stage } from './commands/stage.ts';
import { userEdit } from './commands/user-edit.ts';
import { userList } from './commands/user-list.ts';
import { userPut } from './commands/user-put.ts';
import { userRemove } from './commands/user-remove.ts';
import { userShow } from './commands/user-show.ts';
import { userDisable, userEnable } from './commands/user-switch.ts';

/** Every command, in the order in which the help lists them. */
export const commands: readonly FerryCommand[] = [
  userList,
  userShow,
  userPut,
  userEdit,
  userEnable,
  userDisable,
  userRemove,
  importUser,
  exportUser,
  check,
  stage,
  run,
  runs,
  cancel,
  receipts,
  dropboxConnect,
  policyShow,
  policySet,
];
