import { writeFileSync } from 'node:fs';

/** Loaded into a worker before its bundle: puts it into the control group whose members `JOIN` names. */
writeFileSync(process.env.JOIN ?? '', `${process.pid}`);
