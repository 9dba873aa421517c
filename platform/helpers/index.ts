/** All helpers, ordered by id. */

import type { HelperRow } from '../types.ts';
import { GENERAL_HELPERS } from './general.ts';
import { MAP_HELPERS } from './maps.ts';
import { PACKET_HELPERS } from './packet.ts';
import { SOCKET_HELPERS } from './socket.ts';
import { TRACING_HELPERS } from './tracing.ts';

export const HELPERS: readonly HelperRow[] = [
  ...MAP_HELPERS,
  ...GENERAL_HELPERS,
  ...PACKET_HELPERS,
  ...SOCKET_HELPERS,
  ...TRACING_HELPERS,
].sort((a, b) => a.id - b.id);
