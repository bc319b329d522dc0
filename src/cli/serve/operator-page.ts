import type { OperatorPage } from '../../web/dependencies.js';
import { readOrCreateKey } from '../key-file.js';
import type { Places } from '../places.js';

/** Path of the operator's page; whoever reads the terminal or the data folder knows it. */
export function operatorPath(places: Places): string {
  return `/console/${readOrCreateKey(places.key('console'))}`;
}

/** The page there, where something is to be seen on it. */
export function operatorPageOf(
  places: Places,
  wechat: OperatorPage['wechat'] | undefined,
): OperatorPage | undefined {
  return wechat && { key: readOrCreateKey(places.key('console')), wechat };
}
