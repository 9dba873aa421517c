/**
 * Map types: sizes, and which helpers take which map. A type without helpers of its own takes the
 * element helpers; a helper made for particular types takes no other.
 *
 * Sources: enum bpf_map_type (uapi linux/bpf.h), bpf(2), Documentation/bpf/map_*.rst; size rules and
 * accepted helpers as the running kernel (6.18) enforces them, checked by
 * test/platform/kernel.test.ts.
 */

import type { MapTypeRow } from './types.ts';

const ELEMENTS = ['bpf_map_lookup_elem', 'bpf_map_update_elem', 'bpf_map_delete_elem'];
const TABLE = [...ELEMENTS, 'bpf_for_each_map_elem'];
const PER_CPU = [...TABLE, 'bpf_map_lookup_percpu_elem'];
const QUEUE = ['bpf_map_push_elem', 'bpf_map_pop_elem', 'bpf_map_peek_elem'];
const RINGBUF = [
  'bpf_ringbuf_output',
  'bpf_ringbuf_reserve',
  'bpf_ringbuf_query',
  'bpf_ringbuf_reserve_dynptr',
  'bpf_ringbuf_submit_dynptr',
  'bpf_ringbuf_discard_dynptr',
];
const PERF_EVENTS = [
  'bpf_perf_event_read',
  'bpf_perf_event_output',
  'bpf_perf_event_read_value',
  'bpf_skb_output',
  'bpf_xdp_output',
];
const SOCKMAP = [
  'bpf_sk_redirect_map',
  'bpf_msg_redirect_map',
  'bpf_sock_map_update',
  'bpf_sk_select_reuseport',
  ...ELEMENTS,
];
const SOCKHASH = [
  'bpf_sk_redirect_hash',
  'bpf_msg_redirect_hash',
  'bpf_sock_hash_update',
  'bpf_sk_select_reuseport',
  ...ELEMENTS,
];

const DEFAULTS = {
  keySize: 'any',
  valueSize: 'any',
  helpers: TABLE,
  lookupAlwaysFinds: false,
  directValue: false,
  perCpu: false,
  ofMaps: false,
  lookup: 'value',
  updateTakes: 'value',
  maxEntries: 'positive',
  requiredFlags: 0,
  sleepable: false,
} as const;
/** BPF_F_NO_PREALLOC and BPF_F_MMAPABLE. */
const NO_PREALLOC = 1 << 0;
const MMAPABLE = 1 << 10;
/** Local storage of a kernel object: made when first asked for, as many as there are objects. */
const STORAGE = {
  ...DEFAULTS,
  keySize: 4,
  directValue: true,
  sleepable: true,
  maxEntries: 'zero',
  requiredFlags: NO_PREALLOC,
} as const;
/** struct bpf_cgroup_storage_key, or only its inode id. */
const CGROUP_STORAGE = {
  ...DEFAULTS,
  keySize: [8, 16],
  directValue: true,
  maxEntries: 'zero',
  helpers: ['bpf_get_local_storage'],
} as const;
const BYTE_RING = {
  ...DEFAULTS,
  keySize: 'zero',
  valueSize: 'zero',
  maxEntries: 'pages',
  sleepable: true,
} as const;
const SOCKET_DELETERS = [
  'socket_filter',
  'sched_cls',
  'sched_act',
  'xdp',
  'sk_reuseport',
  'flow_dissector',
  'sk_lookup',
  'sock_ops',
  'tracing/trace_iter',
];
const SOCKETS = {
  ...DEFAULTS,
  valueSize: [4, 8],
  lookup: 'socket',
  updateTakes: 'socket',
  only: {
    bpf_map_delete_elem: SOCKET_DELETERS,
    bpf_map_update_elem: SOCKET_DELETERS.filter((type) => type !== 'sock_ops'),
  },
} as const;
const INDEXED = { ...DEFAULTS, keySize: 4 } as const;
const HANDLES = { ...DEFAULTS, keySize: 4, valueSize: 4 } as const;
/** Struct bpf_devmap_val and bpf_cpumap_val: an index or descriptor, and a program from 5.8/5.9. */
const REDIRECT_VALUE = [4, 8] as const;

/**
 * The structure that each map type is in the kernel, as BTF knows it; those that are not listed are
 * hash tables. Source: which offsets Linux 6.18 lets programs read through map pointers, checked by
 * test/verifier/kernel.
 */
const KERNEL_STRUCTS: Readonly<Record<string, readonly string[]>> = {
  bpf_array: [
    'array',
    'percpu_array',
    'prog_array',
    'perf_event_array',
    'cgroup_array',
    'array_of_maps',
  ],
  bpf_stack_map: ['stack_trace'],
  lpm_trie: ['lpm_trie'],
  bpf_dtab: ['devmap', 'devmap_hash'],
  bpf_stab: ['sockmap'],
  bpf_shtab: ['sockhash'],
  bpf_cpu_map: ['cpumap'],
  xsk_map: ['xskmap'],
  bpf_cgroup_storage_map: ['cgroup_storage', 'percpu_cgroup_storage'],
  reuseport_array: ['reuseport_sockarray'],
  bpf_queue_stack: ['queue', 'stack'],
  bpf_local_storage_map: ['sk_storage', 'inode_storage', 'task_storage', 'cgrp_storage'],
  bpf_struct_ops_map: ['struct_ops'],
  bpf_ringbuf_map: ['ringbuf', 'user_ringbuf'],
  bpf_bloom_filter: ['bloom_filter'],
  bpf_arena: ['arena'],
};

const kernelStructOf = (type: string): string =>
  Object.keys(KERNEL_STRUCTS).find((name) => KERNEL_STRUCTS[name]!.includes(type)) ?? 'bpf_htab';

const ROWS: readonly Omit<MapTypeRow, 'kernelStruct'>[] = [
  { ...DEFAULTS, name: 'hash', sleepable: true, id: 1, since: '3.19', directValue: true },
  {
    ...INDEXED,
    name: 'array',
    sleepable: true,
    id: 2,
    since: '3.19',
    directValue: true,
    lookupAlwaysFinds: true,
  },
  { ...HANDLES, name: 'prog_array', id: 3, since: '4.2', helpers: ['bpf_tail_call'] },
  { ...HANDLES, name: 'perf_event_array', id: 4, since: '4.3', helpers: PERF_EVENTS },
  {
    ...DEFAULTS,
    name: 'percpu_hash',
    sleepable: true,
    id: 5,
    since: '4.6',
    directValue: true,
    perCpu: true,
    helpers: PER_CPU,
  },
  {
    ...INDEXED,
    name: 'percpu_array',
    sleepable: true,
    id: 6,
    since: '4.6',
    directValue: true,
    perCpu: true,
    lookupAlwaysFinds: true,
    helpers: PER_CPU,
  },
  {
    ...INDEXED,
    valueSize: 'stack',
    name: 'stack_trace',
    id: 7,
    since: '4.6',
    helpers: ['bpf_get_stackid'],
  },
  {
    ...HANDLES,
    name: 'cgroup_array',
    id: 8,
    since: '4.8',
    helpers: ['bpf_skb_under_cgroup', 'bpf_current_task_under_cgroup'],
  },
  { ...DEFAULTS, name: 'lru_hash', sleepable: true, id: 9, since: '4.10', directValue: true },
  {
    ...DEFAULTS,
    name: 'lru_percpu_hash',
    sleepable: true,
    id: 10,
    since: '4.10',
    directValue: true,
    perCpu: true,
    helpers: PER_CPU,
  },
  {
    ...DEFAULTS,
    name: 'lpm_trie',
    requiredFlags: NO_PREALLOC,
    id: 11,
    since: '4.11',
    keySize: 'trie',
    directValue: true,
    helpers: ELEMENTS,
  },
  {
    ...HANDLES,
    name: 'array_of_maps',
    sleepable: true,
    id: 12,
    since: '4.12',
    ofMaps: true,
    lookup: 'map',
    helpers: ['bpf_map_lookup_elem'],
  },
  {
    ...DEFAULTS,
    name: 'hash_of_maps',
    sleepable: true,
    id: 13,
    since: '4.12',
    valueSize: 4,
    ofMaps: true,
    lookup: 'map',
    helpers: ['bpf_map_lookup_elem'],
  },
  {
    ...INDEXED,
    name: 'devmap',
    id: 14,
    since: '4.14',
    valueSize: REDIRECT_VALUE,
    helpers: ['bpf_redirect_map', 'bpf_map_lookup_elem'],
  },
  { ...SOCKETS, keySize: 4, name: 'sockmap', id: 15, since: '4.14', helpers: SOCKMAP },
  {
    ...INDEXED,
    name: 'cpumap',
    id: 16,
    since: '4.15',
    valueSize: REDIRECT_VALUE,
    helpers: ['bpf_redirect_map'],
  },
  {
    ...HANDLES,
    name: 'xskmap',
    lookup: 'xdp-socket',
    id: 17,
    since: '4.18',
    helpers: ['bpf_redirect_map', 'bpf_map_lookup_elem'],
  },
  { ...SOCKETS, name: 'sockhash', id: 18, since: '4.18', helpers: SOCKHASH },
  { ...CGROUP_STORAGE, name: 'cgroup_storage', id: 19, since: '4.19' },
  {
    ...INDEXED,
    name: 'reuseport_sockarray',
    id: 20,
    since: '4.19',
    valueSize: [4, 8],
    helpers: ['bpf_sk_select_reuseport'],
  },
  { ...CGROUP_STORAGE, name: 'percpu_cgroup_storage', id: 21, since: '4.20', perCpu: true },
  {
    ...DEFAULTS,
    name: 'queue',
    sleepable: true,
    id: 22,
    since: '4.20',
    keySize: 'zero',
    helpers: QUEUE,
  },
  {
    ...DEFAULTS,
    name: 'stack',
    sleepable: true,
    id: 23,
    since: '4.20',
    keySize: 'zero',
    helpers: QUEUE,
  },
  {
    ...STORAGE,
    name: 'sk_storage',
    id: 24,
    since: '5.2',
    helpers: ['bpf_sk_storage_get', 'bpf_sk_storage_delete', 'bpf_kptr_xchg'],
  },
  {
    ...INDEXED,
    name: 'devmap_hash',
    id: 25,
    since: '5.4',
    valueSize: REDIRECT_VALUE,
    helpers: ['bpf_redirect_map', 'bpf_map_lookup_elem'],
  },
  { ...INDEXED, name: 'struct_ops', id: 26, since: '5.6', helpers: [] },
  {
    ...BYTE_RING,
    name: 'ringbuf',
    id: 27,
    since: '5.8',
    helpers: RINGBUF,
  },
  {
    ...STORAGE,
    name: 'inode_storage',
    id: 28,
    since: '5.10',
    helpers: ['bpf_inode_storage_get', 'bpf_inode_storage_delete', 'bpf_kptr_xchg'],
  },
  {
    ...STORAGE,
    name: 'task_storage',
    id: 29,
    since: '5.11',
    helpers: ['bpf_task_storage_get', 'bpf_task_storage_delete', 'bpf_kptr_xchg'],
  },
  {
    ...DEFAULTS,
    name: 'bloom_filter',
    id: 30,
    since: '5.16',
    keySize: 'zero',
    helpers: ['bpf_map_push_elem', 'bpf_map_peek_elem'],
  },
  {
    ...BYTE_RING,
    name: 'user_ringbuf',
    id: 31,
    since: '6.1',
    helpers: ['bpf_user_ringbuf_drain'],
  },
  {
    ...STORAGE,
    name: 'cgrp_storage',
    id: 32,
    since: '6.2',
    helpers: ['bpf_cgrp_storage_get', 'bpf_cgrp_storage_delete', 'bpf_kptr_xchg'],
  },
  {
    ...DEFAULTS,
    name: 'arena',
    requiredFlags: MMAPABLE,
    sleepable: true,
    id: 33,
    since: '6.9',
    keySize: 'zero',
    valueSize: 'zero',
    helpers: ELEMENTS,
  },
];

export const MAP_TYPES: readonly MapTypeRow[] = ROWS.map((row) => ({
  ...row,
  kernelStruct: kernelStructOf(row.name),
}));
