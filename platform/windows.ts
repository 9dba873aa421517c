/**
 * What eBPF for Windows has: its own context for XDP, its own numbers for helpers and actions.
 * Source: ebpf_structs.h, ebpf_nethooks.h and bpf_helpers.h of microsoft/ebpf-for-windows. Hooks
 * whose contexts have no Linux counterpart (bind, its socket hooks) are not offered.
 */

import { pointer, READ, type Struct, view } from './contexts/layout.ts';
import type { ContextLayout, ProgramTypeRow } from './types.ts';

const XDP_MD: Struct = {
  name: 'xdp_md',
  sizeBytes: 32,
  members: [
    { name: 'data', offset: 0, sizeBytes: 8 },
    { name: 'data_end', offset: 8, sizeBytes: 8 },
    { name: 'data_meta', offset: 16, sizeBytes: 8 },
    { name: 'ingress_ifindex', offset: 24, sizeBytes: 4 },
  ],
};

export const WINDOWS_LAYOUTS: readonly ContextLayout[] = [
  view(XDP_MD, 'windows', {
    data: pointer('packet'),
    data_end: pointer('packet-end'),
    data_meta: READ,
    ingress_ifindex: READ,
  }),
];

export const WINDOWS_PROGRAM_TYPES: readonly ProgramTypeRow[] = [
  {
    name: 'xdp',
    id: 6,
    since: '3.19',
    context: 'xdp_md/windows',
    returns: 'any',
    rangeBits: 64,
    returnBits: 32,
    packet: 'read-write',
    packetArguments: true,
    legacyPacketLoads: false,
    actions: { 1: 'XDP_PASS', 2: 'XDP_DROP', 3: 'XDP_TX' },
  },
];

/** Helpers whose contract is that of the Linux helper of the name. */
export const WINDOWS_HELPER_IDS: ReadonlyMap<number, string> = new Map([
  [1, 'bpf_map_lookup_elem'],
  [2, 'bpf_map_update_elem'],
  [3, 'bpf_map_delete_elem'],
  [5, 'bpf_tail_call'],
  [6, 'bpf_get_prandom_u32'],
  [7, 'bpf_ktime_get_boot_ns'],
  [8, 'bpf_get_smp_processor_id'],
  [9, 'bpf_ktime_get_ns'],
  [10, 'bpf_csum_diff'],
  [11, 'bpf_ringbuf_output'],
  [16, 'bpf_map_push_elem'],
  [17, 'bpf_map_pop_elem'],
  [18, 'bpf_map_peek_elem'],
  [19, 'bpf_get_current_pid_tgid'],
]);
