/**
 * Helpers on packets: sk_buffs, XDP frames, socket messages, lightweight tunnels. Contracts:
 * bpf-helpers(7) and the running kernel's answers (6.18).
 */

import type { Argument, HelperRow, KernelVersion } from '../types.ts';
import {
  BTF_TRACING,
  LIGHTWEIGHT_TUNNELS,
  OBSERVERS,
  RESIZE,
  TC_AND_CGROUP,
  TC_AND_TUNNELS,
  TC_AND_XDP,
  TRAFFIC_CONTROL,
  TRANSMIT,
} from './audience.ts';
import {
  ANYTHING,
  CONTEXT,
  kernel,
  MAP,
  MAP_KEY,
  MEMORY,
  MEMORY_INOUT,
  MEMORY_OR_NULL,
  MEMORY_OUT,
  row,
  SCALAR,
  SIZE,
  SIZE_OR_ZERO,
} from './contract.ts';

const READERS = [
  'socket_filter',
  ...TC_AND_TUNNELS,
  'cgroup_skb',
  'sk_skb',
  'sk_reuseport',
  'flow_dissector',
];

/** A helper for `programTypes` that leaves packets where and what they are. */
const on =
  (programTypes: readonly string[]) =>
  (id: number, name: string, since: KernelVersion, args: readonly Argument[]): HelperRow =>
    row(id, name, since, args, SCALAR, { programTypes });

/** A helper for `programTypes` after which packet pointers are stale. */
const changing =
  (programTypes: readonly string[]) =>
  (id: number, name: string, since: KernelVersion, args: readonly Argument[]): HelperRow =>
    row(id, name, since, args, SCALAR, { programTypes, changesPacket: true });

const inTc = on(TRAFFIC_CONTROL);
const changingInTc = changing(TRAFFIC_CONTROL);
const inTransmit = on(TRANSMIT);
const changingInTransmit = changing(TRANSMIT);
const inTcAndTunnels = on(TC_AND_TUNNELS);
const changingInResize = changing(RESIZE);

const CHECKSUMS: readonly HelperRow[] = [
  changingInTransmit(10, 'l3_csum_replace', '4.1', [
    CONTEXT,
    ANYTHING,
    ANYTHING,
    ANYTHING,
    ANYTHING,
  ]),
  changingInTransmit(11, 'l4_csum_replace', '4.1', [
    CONTEXT,
    ANYTHING,
    ANYTHING,
    ANYTHING,
    ANYTHING,
  ]),
  row(
    28,
    'csum_diff',
    '4.6',
    [MEMORY_OR_NULL, SIZE_OR_ZERO, MEMORY_OR_NULL, SIZE_OR_ZERO, ANYTHING],
    SCALAR,
    { programTypes: [...TC_AND_TUNNELS, 'xdp', 'memory'], packetAccess: true },
  ),
  inTransmit(40, 'csum_update', '4.9', [CONTEXT, ANYTHING]),
  inTransmit(135, 'csum_level', '5.8', [CONTEXT, ANYTHING]),
];

const BUFFER_BYTES: readonly HelperRow[] = [
  changingInResize(9, 'skb_store_bytes', '4.1', [CONTEXT, ANYTHING, MEMORY, SIZE, ANYTHING]),
  on(READERS)(26, 'skb_load_bytes', '4.5', [CONTEXT, ANYTHING, MEMORY_OUT, SIZE]),
  on(['socket_filter', ...TC_AND_CGROUP, 'sk_reuseport'])(68, 'skb_load_bytes_relative', '4.18', [
    CONTEXT,
    ANYTHING,
    MEMORY_OUT,
    SIZE,
    ANYTHING,
  ]),
  changing([...TC_AND_TUNNELS, 'sk_skb'])(39, 'skb_pull_data', '4.9', [CONTEXT, ANYTHING]),
];

const BUFFER_SHAPE: readonly HelperRow[] = [
  changingInTc(18, 'skb_vlan_push', '4.3', [CONTEXT, ANYTHING, ANYTHING]),
  changingInTc(19, 'skb_vlan_pop', '4.3', [CONTEXT]),
  changingInTc(31, 'skb_change_proto', '4.8', [CONTEXT, ANYTHING, ANYTHING]),
  inTc(32, 'skb_change_type', '4.8', [CONTEXT, ANYTHING]),
  changingInResize(38, 'skb_change_tail', '4.9', [CONTEXT, ANYTHING, ANYTHING]),
  changingInResize(43, 'skb_change_head', '4.10', [CONTEXT, ANYTHING, ANYTHING]),
  changing([...TRAFFIC_CONTROL, 'sk_skb'])(50, 'skb_adjust_room', '4.13', [
    CONTEXT,
    ANYTHING,
    ANYTHING,
    ANYTHING,
  ]),
  inTc(192, 'skb_set_tstamp', '5.18', [CONTEXT, ANYTHING, ANYTHING]),
];

const BUFFER_METADATA: readonly HelperRow[] = [
  inTransmit(20, 'skb_get_tunnel_key', '4.3', [CONTEXT, MEMORY_OUT, SIZE, ANYTHING]),
  inTransmit(21, 'skb_set_tunnel_key', '4.3', [CONTEXT, MEMORY, SIZE, ANYTHING]),
  inTransmit(29, 'skb_get_tunnel_opt', '4.6', [CONTEXT, MEMORY_OUT, SIZE]),
  inTransmit(30, 'skb_set_tunnel_opt', '4.6', [CONTEXT, MEMORY, SIZE]),
  inTcAndTunnels(24, 'get_route_realm', '4.4', [CONTEXT]),
  inTcAndTunnels(33, 'skb_under_cgroup', '4.8', [CONTEXT, MAP, ANYTHING]),
  inTcAndTunnels(34, 'get_hash_recalc', '4.8', [CONTEXT]),
  inTransmit(41, 'set_hash_invalid', '4.9', [CONTEXT]),
  inTc(48, 'set_hash', '4.13', [CONTEXT, ANYTHING]),
  inTc(66, 'skb_get_xfrm_state', '4.18', [CONTEXT, ANYTHING, MEMORY_OUT, SIZE, ANYTHING]),
  on(TC_AND_CGROUP)(79, 'skb_cgroup_id', '4.18', [CONTEXT]),
  on(TC_AND_CGROUP)(83, 'skb_ancestor_cgroup_id', '4.19', [CONTEXT, ANYTHING]),
  on(TC_AND_CGROUP)(97, 'skb_ecn_set_ce', '5.1', [CONTEXT]),
  inTc(151, 'skb_cgroup_classid', '5.10', [CONTEXT]),
];

const FORWARDING: readonly HelperRow[] = [
  changingInTransmit(13, 'clone_redirect', '4.2', [CONTEXT, ANYTHING, ANYTHING]),
  on([...TRANSMIT, 'xdp'])(23, 'redirect', '4.4', [ANYTHING, ANYTHING]),
  on(['xdp'])(51, 'redirect_map', '4.14', [MAP, ANYTHING, ANYTHING]),
  row(69, 'fib_lookup', '4.18', [CONTEXT, MEMORY_INOUT, SIZE, ANYTHING], SCALAR, {
    programTypes: TC_AND_XDP,
    gpl: true,
  }),
  inTc(152, 'redirect_neigh', '5.10', [ANYTHING, MEMORY_OR_NULL, SIZE_OR_ZERO, ANYTHING]),
  inTc(155, 'redirect_peer', '5.10', [ANYTHING, ANYTHING]),
  row(
    163,
    'check_mtu',
    '5.12',
    [
      CONTEXT,
      ANYTHING,
      { kind: 'memory', access: 'read-write', sizeBytes: 4, alignBytes: 4 },
      ANYTHING,
      ANYTHING,
    ],
    SCALAR,
    { programTypes: TC_AND_XDP, gpl: true },
  ),
];

const XDP: readonly HelperRow[] = [
  changing(['xdp'])(44, 'xdp_adjust_head', '4.10', [CONTEXT, ANYTHING]),
  changing(['xdp'])(54, 'xdp_adjust_meta', '4.15', [CONTEXT, ANYTHING]),
  changing(['xdp'])(65, 'xdp_adjust_tail', '4.18', [CONTEXT, ANYTHING]),
  row(188, 'xdp_get_buff_len', '5.18', [CONTEXT], SCALAR, {
    programTypes: ['xdp', ...BTF_TRACING],
    variants: [{ programTypes: BTF_TRACING, arguments: [kernel('xdp_buff')] }],
  }),
  on(['xdp'])(189, 'xdp_load_bytes', '5.18', [CONTEXT, ANYTHING, MEMORY_OUT, SIZE]),
  on(['xdp'])(190, 'xdp_store_bytes', '5.18', [CONTEXT, ANYTHING, MEMORY, SIZE]),
];

const MESSAGES: readonly HelperRow[] = [
  on(['sk_msg'])(60, 'msg_redirect_map', '4.17', [CONTEXT, MAP, ANYTHING, ANYTHING]),
  on(['sk_msg'])(61, 'msg_apply_bytes', '4.17', [CONTEXT, ANYTHING]),
  on(['sk_msg'])(62, 'msg_cork_bytes', '4.17', [CONTEXT, ANYTHING]),
  changing(['sk_msg'])(63, 'msg_pull_data', '4.17', [CONTEXT, ANYTHING, ANYTHING, ANYTHING]),
  on(['sk_msg'])(71, 'msg_redirect_hash', '4.18', [CONTEXT, MAP, MAP_KEY, ANYTHING]),
  changing(['sk_msg'])(90, 'msg_push_data', '4.20', [CONTEXT, ANYTHING, ANYTHING, ANYTHING]),
  changing(['sk_msg'])(91, 'msg_pop_data', '5.0', [CONTEXT, ANYTHING, ANYTHING, ANYTHING]),
];

const TUNNELS: readonly HelperRow[] = [
  changing(['lwt_in', 'lwt_xmit'])(73, 'lwt_push_encap', '4.18', [CONTEXT, ANYTHING, MEMORY, SIZE]),
  changing(['lwt_seg6local'])(74, 'lwt_seg6_store_bytes', '4.18', [
    CONTEXT,
    ANYTHING,
    MEMORY,
    SIZE,
  ]),
  changing(['lwt_seg6local'])(75, 'lwt_seg6_adjust_srh', '4.18', [CONTEXT, ANYTHING, ANYTHING]),
  changing(['lwt_seg6local'])(76, 'lwt_seg6_action', '4.18', [CONTEXT, ANYTHING, MEMORY, SIZE]),
];

const NETWORK_TYPES = [
  'socket_filter',
  ...TC_AND_CGROUP,
  'xdp',
  'cgroup_sock',
  ...LIGHTWEIGHT_TUNNELS,
  'sock_ops',
  'sk_skb',
  'cgroup_device',
  'sk_msg',
  'cgroup_sock_addr',
  'cgroup_sysctl',
  'cgroup_sockopt',
  'sk_lookup',
];

/** Samples to a perf event array: of the program's own context, or of one it traces. */
const SAMPLES: readonly HelperRow[] = [
  row(25, 'perf_event_output', '4.4', [CONTEXT, MAP, ANYTHING, MEMORY, SIZE_OR_ZERO], SCALAR, {
    programTypes: [...NETWORK_TYPES, ...OBSERVERS],
    gpl: true,
  }),
  row(111, 'skb_output', '5.5', [kernel('sk_buff'), MAP, ANYTHING, MEMORY, SIZE_OR_ZERO], SCALAR, {
    programTypes: BTF_TRACING,
    gpl: true,
    privileged: true,
    needsCapBpf: true,
    kernelOnly: true,
  }),
  row(121, 'xdp_output', '5.6', [kernel('xdp_buff'), MAP, ANYTHING, MEMORY, SIZE_OR_ZERO], SCALAR, {
    programTypes: BTF_TRACING,
    gpl: true,
    privileged: true,
    needsCapBpf: true,
    kernelOnly: true,
  }),
];

export const PACKET_HELPERS: readonly HelperRow[] = [
  ...CHECKSUMS,
  ...BUFFER_BYTES,
  ...BUFFER_SHAPE,
  ...BUFFER_METADATA,
  ...FORWARDING,
  ...XDP,
  ...MESSAGES,
  ...TUNNELS,
  ...SAMPLES,
];
