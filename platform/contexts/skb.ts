/**
 * `struct __sk_buff`: one structure that twelve program types see differently. Members: uapi
 * linux/bpf.h. Views: the running kernel's answers to every offset, size and direction (Linux 6.18),
 * checked by test/platform/kernel.test.ts.
 */

import type { ContextLayout } from '../types.ts';
import {
  type Access,
  each,
  elements,
  pointer,
  READ,
  READ_PART,
  READ_PART_WRITE,
  READ_WRITE,
  READ_WRITE_PART,
  type Struct,
  view,
  words,
} from './layout.ts';

const SK_BUFF: Struct = {
  name: '__sk_buff',
  sizeBytes: 192,
  members: [
    ...words(0, ['len', 'pkt_type', 'mark', 'queue_mapping', 'protocol', 'vlan_present']),
    ...words(24, ['vlan_tci', 'vlan_proto', 'priority', 'ingress_ifindex', 'ifindex', 'tc_index']),
    ...words(48, [['cb', 5], 'hash', 'tc_classid', 'data', 'data_end', 'napi_id', 'family']),
    ...words(92, ['remote_ip4', 'local_ip4', ['remote_ip6', 4], ['local_ip6', 4]]),
    ...words(132, ['remote_port', 'local_port', 'data_meta']),
    { name: 'flow_keys', offset: 144, sizeBytes: 8 },
    { name: 'tstamp', offset: 152, sizeBytes: 8 },
    ...words(160, ['wire_len', 'gso_segs']),
    { name: 'sk', offset: 168, sizeBytes: 8 },
    ...words(176, ['gso_size']),
    { name: 'tstamp_type', offset: 180, sizeBytes: 1 },
    { name: 'hwtstamp', offset: 184, sizeBytes: 8 },
  ],
};

/** What every type but flow_dissector may read. */
const COMMON: Readonly<Record<string, Access>> = {
  ...each(
    ['len', 'pkt_type', 'mark', 'queue_mapping', 'protocol', 'vlan_present', 'vlan_tci'],
    READ_PART,
  ),
  ...each(['vlan_proto', 'priority', 'ingress_ifindex', 'ifindex', 'tc_index'], READ_PART),
  ...each(['hash', 'napi_id', 'gso_segs', 'gso_size'], READ_PART),
  ...elements('cb', 5, READ_PART),
  'cb[0]': { ...READ_PART, wide: 'read' },
  'cb[2]': { ...READ_PART, wide: 'read' },
  sk: pointer('sock-common', { nullable: true }),
};

/** The control block as scratch space; its first four words also in pairs of 8 bytes. */
const SCRATCH: Readonly<Record<string, Access>> = {
  ...elements('cb', 5, READ_WRITE_PART),
  'cb[0]': { ...READ_WRITE_PART, wide: 'read-write' },
  'cb[2]': { ...READ_WRITE_PART, wide: 'read-write' },
};

const PACKET: Readonly<Record<string, Access>> = {
  data: pointer('packet'),
  data_end: pointer('packet-end'),
};

/** Addresses of the socket that the buffer belongs to. */
const FLOW: Readonly<Record<string, Access>> = {
  ...each(['family', 'remote_port', 'local_port'], READ_PART),
  ...each(['remote_ip4', 'local_ip4'], READ),
  ...elements('remote_ip6', 4, READ),
  ...elements('local_ip6', 4, READ),
};

/** sched_cls and sched_act. */
const TRAFFIC_CONTROL: Readonly<Record<string, Access>> = {
  ...COMMON,
  ...SCRATCH,
  ...PACKET,
  ...each(['mark', 'queue_mapping', 'priority', 'tc_index', 'tc_classid'], READ_PART_WRITE),
  data_meta: pointer('packet-meta'),
  tstamp: READ_WRITE,
  tstamp_type: READ,
  hwtstamp: READ,
  wire_len: READ_PART,
};

const LIGHTWEIGHT_TUNNEL: Readonly<Record<string, Access>> = {
  ...COMMON,
  ...SCRATCH,
  ...PACKET,
  ...each(['mark', 'priority'], READ_PART_WRITE),
};

const { mark: _, ...STREAM } = COMMON;

export const SKB_LAYOUTS: readonly ContextLayout[] = [
  view(SK_BUFF, 'socket_filter', { ...COMMON, ...SCRATCH }),
  view(SK_BUFF, 'tc', TRAFFIC_CONTROL),
  view(SK_BUFF, 'lwt', LIGHTWEIGHT_TUNNEL),
  view(SK_BUFF, 'cgroup_skb', {
    ...LIGHTWEIGHT_TUNNEL,
    ...FLOW,
    tstamp: READ_WRITE,
    hwtstamp: READ,
  }),
  view(SK_BUFF, 'sk_skb', {
    ...STREAM,
    ...PACKET,
    ...FLOW,
    ...each(['priority', 'tc_index'], READ_PART_WRITE),
  }),
  view(SK_BUFF, 'flow_dissector', { ...PACKET, flow_keys: pointer('flow-keys') }),
];
