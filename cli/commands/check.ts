import { z } from 'zod';
import type { DestinationTest } from '../../functions/core/connection-test.ts';
import { defineCommand } from '../command.ts';
import { testConnection } from '../connection-test.ts';
import { EXIT, misuse } from '../failure.ts';
import { destination, userId } from '../given.ts';
import { pinHostKey, shownHostKey } from '../host-key.ts';

/** As OpenSSH prints it: SHA-256 as base64 without padding. */
const fingerprint = z
  .string()
  .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'A fingerprint is "SHA256:" and 43 characters after it.');

export const check = defineCommand({
  name: 'check',
  summary: "tests the connection to a user's destinations, step by step",
  about: `From where transfers run: name, address, connection, encryption or host key, login, writing, reading
back and deleting a small file; each with its time, and on failure with what to change. Nothing is left
behind. Destinations that are switched off are tested, too.

An SSH server shows its host key. Compare the fingerprint with what the operator of the server tells, then
accept it: --accept-host-key writes it into SSH_HOST_KEY of the destination, and the test is done once more.
With a fingerprint only that one is accepted, and a key that was pinned before is replaced.`,
  arguments: { '<id>': 'the user', '[destination]': 'one destination; all without it' },
  options: {
    '--accept-host-key [fingerprint]': 'pin the key that the SSH server of the destination shows',
  },
  examples: [
    'ferry check alice',
    'ferry check alice nas --accept-host-key',
    'ferry check alice nas --accept-host-key SHA256:ZTvyK1Z57JNfjD581u9/XgH121n1AqhQ6GULpU5wBYo',
  ],
  given: z.object({
    id: userId,
    destination: destination.optional(),
    acceptHostKey: z.union([z.boolean(), fingerprint]).default(false),
  }),
  async run({ id, destination: name, acceptHostKey: accepted }, { ferry, say }) {
    if (accepted !== false && name === undefined) {
      throw misuse('Name the destination whose host key is accepted.');
    }
    const open = await ferry();
    const request = { v: 1, userId: id, destination: name } as const;
    let tests = await testConnection(open, request);
    if (accepted !== false && name !== undefined) {
      const shown = shownHostKey(tests);
      const wanted = accepted === true ? undefined : accepted;
      const place = { userId: id, destination: name };
      if (await pinHostKey(open, place, shown, wanted)) {
        say(`SSH_HOST_KEY of "${name}" is ${shown?.fingerprint} (${shown?.type}) from now on.\n`);
        tests = await testConnection(open, request);
      }
    }
    for (const each of tests) {
      say(`${describe(each)}\n`);
      if (each.steps.some(({ error }) => error?.code === 'host-key-unknown')) {
        say(`If that is its key: ferry check ${id} ${each.destination} --accept-host-key\n`);
      }
    }
    return {
      result: { userId: id, destinations: tests },
      status: tests.every(({ ok }) => ok) ? EXIT.done : EXIT.failed,
    };
  },
});

function describe({ destination: name, ok, steps, type }: DestinationTest): string {
  const width = Math.max(...steps.map((each) => each.step.length));
  const lines = steps.map(({ detail, error, ms, step: what }) => {
    const time = `${String(ms).padStart(6)} ms`;
    const line = `  ${error ? '✗' : '✓'} ${what.padEnd(width)} ${time}  ${detail ?? ''}`.trimEnd();
    return error ? `${line}\n    ${error.message}` : line;
  });
  return [`${name} (${type}): ${ok ? 'works' : 'does not work'}`, ...lines].join('\n');
}
