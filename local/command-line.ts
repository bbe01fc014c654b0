import { parseArgs } from 'node:util';

export interface Choices {
  readonly json: boolean;
  readonly keep: boolean;
  readonly help: boolean;
}

export const HELP = `npm start [-- --json] [-- --keep]

Runs Ferry on this machine: embedded DynamoDB, SQS, S3 and SFTP servers, real archives, the functions
that are deployed. Ends with a table of what was delivered, each archive read back and compared.

  --json   progress goes to standard error; the last line of standard output is one JSON document
  --keep   go on with a tick every minute until Ctrl-C, and print how to use it
  --help   this text

Exit status: 0 when everything was delivered and verified, 1 when not, 2 for a wrong option, 130 after
Ctrl-C.
`;

/** @throws TypeError naming the option that does not exist */
export function readChoices(args: readonly string[]): Choices {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}
