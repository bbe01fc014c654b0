import middy from '@middy/core';
import * as z from 'zod';
import type { TestAnswer } from '../core/connection-test.ts';
import { DESTINATION_NAME, USER_ID } from '../core/user.ts';
import { connectDynamoDb, connectStaging } from '../platform/clients.ts';
import { checkEnvironment, readEnvironment } from '../platform/environment.ts';
import { logInvocations, openLog } from '../platform/logging.ts';
import { openSurroundings } from '../platform/surroundings.ts';
import { openUserRows } from '../platform/user-rows.ts';
import { openStaging } from '../source/staging.ts';
import { checkDestinations } from './check-destinations.ts';

const SERVICE = 'check';
const environment = readEnvironment(checkEnvironment);
const log = openLog(SERVICE);
const documents = connectDynamoDb();
const source = openStaging(connectStaging(), environment.STAGING_BUCKET);
const { policies, rows } = openUserRows(documents, environment, SERVICE, log);
const tools = {
  rows,
  surroundingsOf: openSurroundings(source, documents, policies.read, environment),
  log,
};

/** Time that is left to answer in when a destination did not, in ms. */
const RESERVE_MS = 10_000;
/** A destination that takes longer than this for all its steps cannot be used, in ms. */
const PATIENCE_MS = 90_000;

/** What `ferry check` sends. */
const request = z.strictObject({
  v: z.literal(1),
  userId: z.string().regex(USER_ID),
  destination: z.string().regex(DESTINATION_NAME).optional(),
});

/** The connection test, run where transfers run: invoked by the command line or by the operator's own tools. */
export const handler = middy<unknown, TestAnswer>()
  .use(logInvocations(log))
  .handler((event, context) => {
    // Who has just changed what is allowed asks by that.
    policies.forget();
    const deadline = () =>
      AbortSignal.timeout(
        Math.max(0, Math.min(PATIENCE_MS, context.getRemainingTimeInMillis() - RESERVE_MS)),
      );
    return checkDestinations({ ...tools, deadline }, request.parse(event));
  });
