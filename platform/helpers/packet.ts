/**
 * Helpers on packets: sk_buff and XDP frames. Contracts: bpf-helpers(7) and the running kernel's
 * answers (6.18).
 */

import type { HelperRow } from '../types.ts';
import { RESIZE, TC_AND_TUNNELS, TRAFFIC_CONTROL, TRANSMIT } from './audience.ts';
import {
  ANYTHING,
  CONTEXT,
  MAP,
  MEMORY,
  MEMORY_OR_NULL,
  MEMORY_OUT,
  row,
  SCALAR,
  SIZE,
  SIZE_OR_ZERO,
} from './contract.ts';

const XDP = ['xdp'];
const READERS = [
  'socket_filter',
  ...TC_AND_TUNNELS,
  'cgroup_skb',
  'sk_skb',
  'sk_reuseport',
  'flow_dissector',
];

export const PACKET_HELPERS: readonly HelperRow[] = [
  row(9, 'skb_store_bytes', '4.1', [CONTEXT, ANYTHING, MEMORY, SIZE, ANYTHING], SCALAR, {
    programTypes: RESIZE,
    changesPacket: true,
  }),
  row(10, 'l3_csum_replace', '4.1', [CONTEXT, ANYTHING, ANYTHING, ANYTHING, ANYTHING], SCALAR, {
    programTypes: TRANSMIT,
    changesPacket: true,
  }),
  row(11, 'l4_csum_replace', '4.1', [CONTEXT, ANYTHING, ANYTHING, ANYTHING, ANYTHING], SCALAR, {
    programTypes: TRANSMIT,
    changesPacket: true,
  }),
  row(18, 'skb_vlan_push', '4.3', [CONTEXT, ANYTHING, ANYTHING], SCALAR, {
    programTypes: TRAFFIC_CONTROL,
    changesPacket: true,
  }),
  row(19, 'skb_vlan_pop', '4.3', [CONTEXT], SCALAR, {
    programTypes: TRAFFIC_CONTROL,
    changesPacket: true,
  }),
  row(23, 'redirect', '4.4', [ANYTHING, ANYTHING], SCALAR, { programTypes: [...TRANSMIT, 'xdp'] }),
  row(26, 'skb_load_bytes', '4.5', [CONTEXT, ANYTHING, MEMORY_OUT, SIZE], SCALAR, {
    programTypes: READERS,
  }),
  row(
    28,
    'csum_diff',
    '4.6',
    [MEMORY_OR_NULL, SIZE_OR_ZERO, MEMORY_OR_NULL, SIZE_OR_ZERO, ANYTHING],
    SCALAR,
    { programTypes: [...TC_AND_TUNNELS, 'xdp'], packetAccess: true },
  ),
  row(44, 'xdp_adjust_head', '4.10', [CONTEXT, ANYTHING], SCALAR, {
    programTypes: XDP,
    changesPacket: true,
  }),
  row(51, 'redirect_map', '4.14', [MAP, ANYTHING, ANYTHING], SCALAR, { programTypes: XDP }),
  row(54, 'xdp_adjust_meta', '4.15', [CONTEXT, ANYTHING], SCALAR, {
    programTypes: XDP,
    changesPacket: true,
  }),
  row(65, 'xdp_adjust_tail', '4.18', [CONTEXT, ANYTHING], SCALAR, {
    programTypes: XDP,
    changesPacket: true,
  }),
];
