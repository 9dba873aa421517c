/** All helpers, ordered by id. */

import type { HelperRow } from '../types.ts';
import { GENERAL_HELPERS } from './general.ts';
import { MAP_HELPERS } from './maps.ts';
import { PACKET_HELPERS } from './packet.ts';

export const HELPERS: readonly HelperRow[] = [
  ...MAP_HELPERS,
  ...GENERAL_HELPERS,
  ...PACKET_HELPERS,
].sort((a, b) => a.id - b.id);
