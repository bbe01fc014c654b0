import type { DestinationTest } from '../functions/core/connection-test.ts';
import { type DestinationPlace, readDestination, writeSettings } from './destination-settings.ts';
import { Failure } from './failure.ts';
import type { Ferry } from './ferry.ts';

const TYPE = 'ssh';
const SETTING = 'SSH_HOST_KEY';
const STEP = 'host key';

export interface ShownKey {
  readonly type: string;
  readonly fingerprint: string;
  /** Whether it is another than the one that is pinned. */
  readonly isChanged: boolean;
}

/** The host key that the server showed in the test of one destination; undefined where it came to none. */
export function shownHostKey(tests: readonly DestinationTest[]): ShownKey | undefined {
  const step = tests.flatMap(({ steps }) => steps).find((each) => each.step === STEP);
  const [, type, fingerprint] = /^(\S+) (SHA256:[A-Za-z0-9+/]{43})/.exec(step?.detail ?? '') ?? [];
  if (type === undefined || fingerprint === undefined) return undefined;
  return { type, fingerprint, isChanged: step?.error?.code === 'host-key-changed' };
}

/**
 * Writes the key that a server showed into the settings of the destination; false where it is there.
 * @param wanted the fingerprint that it has to have
 * @throws Failure where that is not to be done
 */
export async function pinHostKey(
  ferry: Ferry,
  place: DestinationPlace,
  shown: ShownKey | undefined,
  wanted: string | undefined,
): Promise<boolean> {
  const { settings } = await readDestination(ferry, place, TYPE);
  if (!shown) {
    throw new Failure(
      'The server showed no host key: the test did not come that far. Try it alone first.',
    );
  }
  const { fingerprint, isChanged, type } = shown;
  if (wanted !== undefined && wanted !== fingerprint) {
    throw new Failure(
      `The server shows ${type} ${fingerprint}, not ${wanted}. Nothing was written: somebody may be in between.`,
    );
  }
  if (isChanged && wanted === undefined) {
    throw new Failure(
      `The server shows ${type} ${fingerprint}, which is not the key that is pinned. Somebody may be in between. ` +
        `If its operator confirms that it was set up anew: --accept-host-key ${fingerprint}`,
    );
  }
  if (`${SETTING}_FILE` in settings) {
    throw new Failure(
      `The row takes the key from a staged file (${SETTING}_FILE). Change that file.`,
    );
  }
  if (String(settings[SETTING] ?? '').includes('@revoked')) {
    throw new Failure(`${SETTING} of the row also says which keys are revoked: change it by hand.`);
  }
  const isPinned = typeof settings[SETTING] === 'string' && settings[SETTING] !== '';
  if (isPinned && !isChanged) return false;
  await writeSettings(ferry, place, TYPE, { [SETTING]: fingerprint });
  return true;
}
