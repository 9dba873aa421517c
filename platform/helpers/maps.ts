/**
 * Helpers on maps: elements, ring buffers, tail calls, callbacks over elements, locks and timers in
 * values, storage attached to kernel objects, dynptrs. Contracts: bpf-helpers(7) and what the
 * running kernel (6.18) says when it refuses an argument; first releases: kernel release notes.
 */

import type { HelperRow } from '../types.ts';
import { TC_AND_CGROUP } from './audience.ts';
import {
  ANYTHING,
  BTF_SOCKET,
  CONSTANT_SIZE,
  CONTEXT,
  kernelOrNull,
  MAP,
  MAP_KEY,
  MAP_VALUE,
  MAP_VALUE_OR_NULL,
  MAP_VALUE_OUT,
  MEMORY,
  MEMORY_INOUT,
  MEMORY_OUT,
  row,
  SCALAR,
  SIZE_OR_ZERO,
  SPIN_LOCK,
  STACK_OR_NULL,
  TIMER,
  VALUE_OR_NULL,
  VOID,
} from './contract.ts';

const RECORD = { kind: 'ringbuf-record', releases: true } as const;
const PACKET = { packetAccess: true } as const;
const CAP_BPF = { needsCapBpf: true } as const;
/** Everything of a kernel object's local storage. */
const STORAGE = { needsCapBpf: true, kernelOnly: true } as const;

const ELEMENTS: readonly HelperRow[] = [
  row(1, 'map_lookup_elem', '3.19', [MAP, MAP_KEY], VALUE_OR_NULL, PACKET),
  row(2, 'map_update_elem', '3.19', [MAP, MAP_KEY, MAP_VALUE, ANYTHING], SCALAR, PACKET),
  row(3, 'map_delete_elem', '3.19', [MAP, MAP_KEY], SCALAR, PACKET),
  row(12, 'tail_call', '4.2', [CONTEXT, MAP, ANYTHING], { kind: 'never' }, { leaves: true }),
  row(87, 'map_push_elem', '4.20', [MAP, MAP_VALUE, ANYTHING], SCALAR, PACKET),
  row(88, 'map_pop_elem', '4.20', [MAP, MAP_VALUE_OUT], SCALAR),
  row(89, 'map_peek_elem', '4.20', [MAP, MAP_VALUE_OUT], SCALAR),
  row(195, 'map_lookup_percpu_elem', '5.19', [MAP, MAP_KEY, ANYTHING], VALUE_OR_NULL, PACKET),
  row(
    164,
    'for_each_map_elem',
    '5.13',
    [MAP, { kind: 'callback', callback: 'for-each-map' }, STACK_OR_NULL, ANYTHING],
    SCALAR,
    CAP_BPF,
  ),
  row(
    181,
    'loop',
    '5.17',
    [ANYTHING, { kind: 'callback', callback: 'loop' }, STACK_OR_NULL, ANYTHING],
    SCALAR,
    CAP_BPF,
  ),
];

const RING_BUFFERS: readonly HelperRow[] = [
  row(130, 'ringbuf_output', '5.8', [MAP, MEMORY, SIZE_OR_ZERO, ANYTHING], SCALAR),
  row(131, 'ringbuf_reserve', '5.8', [MAP, CONSTANT_SIZE, ANYTHING], {
    kind: 'memory',
    nullable: true,
    acquires: true,
  }),
  row(132, 'ringbuf_submit', '5.8', [RECORD, ANYTHING], VOID),
  row(133, 'ringbuf_discard', '5.8', [RECORD, ANYTHING], VOID),
  row(134, 'ringbuf_query', '5.8', [MAP, ANYTHING], SCALAR),
  row(
    198,
    'ringbuf_reserve_dynptr',
    '5.19',
    [MAP, ANYTHING, ANYTHING, { kind: 'dynptr', dynptr: 'uninit', creates: 'ringbuf' }],
    SCALAR,
    CAP_BPF,
  ),
  row(
    199,
    'ringbuf_submit_dynptr',
    '5.19',
    [{ kind: 'dynptr', dynptr: 'ringbuf', releases: true }, ANYTHING],
    VOID,
    CAP_BPF,
  ),
  row(
    200,
    'ringbuf_discard_dynptr',
    '5.19',
    [{ kind: 'dynptr', dynptr: 'ringbuf', releases: true }, ANYTHING],
    VOID,
    CAP_BPF,
  ),
  row(
    209,
    'user_ringbuf_drain',
    '6.1',
    [MAP, { kind: 'callback', callback: 'user-ringbuf' }, STACK_OR_NULL, ANYTHING],
    SCALAR,
    CAP_BPF,
  ),
];

const DYNPTRS: readonly HelperRow[] = [
  row(
    197,
    'dynptr_from_mem',
    '5.19',
    [
      { ...MEMORY_INOUT, inMapValue: true },
      SIZE_OR_ZERO,
      ANYTHING,
      { kind: 'dynptr', dynptr: 'uninit', creates: 'local' },
    ],
    SCALAR,
    CAP_BPF,
  ),
  row(
    201,
    'dynptr_read',
    '5.19',
    [MEMORY_OUT, SIZE_OR_ZERO, { kind: 'dynptr', dynptr: 'any' }, ANYTHING, ANYTHING],
    SCALAR,
    CAP_BPF,
  ),
  row(
    202,
    'dynptr_write',
    '5.19',
    [{ kind: 'dynptr', dynptr: 'any' }, ANYTHING, MEMORY, SIZE_OR_ZERO, ANYTHING],
    SCALAR,
    CAP_BPF,
  ),
  row(
    203,
    'dynptr_data',
    '5.19',
    [{ kind: 'dynptr', dynptr: 'any' }, ANYTHING, CONSTANT_SIZE],
    { kind: 'memory', nullable: true, ofDynptr: true },
    CAP_BPF,
  ),
];

const VALUE_FIELDS: readonly HelperRow[] = [
  row(93, 'spin_lock', '5.1', [SPIN_LOCK], VOID, CAP_BPF),
  row(94, 'spin_unlock', '5.1', [SPIN_LOCK], VOID, { ...CAP_BPF, underLock: true }),
  row(169, 'timer_init', '5.15', [TIMER, MAP, ANYTHING], SCALAR, { ...CAP_BPF, gpl: true }),
  row(170, 'timer_set_callback', '5.15', [TIMER, { kind: 'callback', callback: 'timer' }], SCALAR, {
    ...CAP_BPF,
    gpl: true,
  }),
  row(171, 'timer_start', '5.15', [TIMER, ANYTHING, ANYTHING], SCALAR, { ...CAP_BPF, gpl: true }),
  row(172, 'timer_cancel', '5.15', [TIMER], SCALAR, { ...CAP_BPF, gpl: true }),
  row(
    194,
    'kptr_xchg',
    '5.19',
    [{ kind: 'kptr' }, { kind: 'btf', nullable: true, releases: true }],
    { kind: 'btf', nullable: true, acquires: true },
    CAP_BPF,
  ),
];

const OBJECT_STORAGE: readonly HelperRow[] = [
  row(
    81,
    'get_local_storage',
    '4.19',
    [MAP, { kind: 'anything', isZero: true }],
    { kind: 'map-value' },
    {
      ...STORAGE,
      programTypes: [
        'cgroup_skb',
        'cgroup_sock',
        'sock_ops',
        'cgroup_device',
        'cgroup_sock_addr',
        'cgroup_sysctl',
        'cgroup_sockopt',
        'lsm',
      ],
      attachTypes: { lsm: ['lsm_cgroup'] },
    },
  ),
  row(107, 'sk_storage_get', '5.2', [MAP, BTF_SOCKET, MAP_VALUE_OR_NULL, ANYTHING], VALUE_OR_NULL, {
    ...STORAGE,
    programTypes: [
      ...TC_AND_CGROUP,
      'cgroup_sock',
      'sock_ops',
      'sk_msg',
      'cgroup_sock_addr',
      'cgroup_sockopt',
      'tracing',
      'lsm',
    ],
    variants: [
      {
        programTypes: ['cgroup_sock'],
        arguments: [MAP, CONTEXT, MAP_VALUE_OR_NULL, ANYTHING],
      },
    ],
  }),
  row(108, 'sk_storage_delete', '5.2', [MAP, BTF_SOCKET], SCALAR, {
    ...STORAGE,
    programTypes: [
      ...TC_AND_CGROUP,
      'sock_ops',
      'sk_msg',
      'cgroup_sock_addr',
      'cgroup_sockopt',
      'tracing',
      'lsm',
    ],
  }),
  row(
    145,
    'inode_storage_get',
    '5.10',
    [MAP, kernelOrNull('inode'), MAP_VALUE_OR_NULL, ANYTHING],
    VALUE_OR_NULL,
    { ...STORAGE, programTypes: ['lsm'] },
  ),
  row(146, 'inode_storage_delete', '5.10', [MAP, kernelOrNull('inode')], SCALAR, {
    ...STORAGE,
    programTypes: ['lsm'],
  }),
  row(
    156,
    'task_storage_get',
    '5.11',
    [MAP, kernelOrNull('task_struct'), MAP_VALUE_OR_NULL, ANYTHING],
    VALUE_OR_NULL,
    STORAGE,
  ),
  row(157, 'task_storage_delete', '5.11', [MAP, kernelOrNull('task_struct')], SCALAR, STORAGE),
  row(
    210,
    'cgrp_storage_get',
    '6.2',
    [MAP, kernelOrNull('cgroup'), MAP_VALUE_OR_NULL, ANYTHING],
    VALUE_OR_NULL,
    STORAGE,
  ),
  row(211, 'cgrp_storage_delete', '6.2', [MAP, kernelOrNull('cgroup')], SCALAR, STORAGE),
];

export const MAP_HELPERS: readonly HelperRow[] = [
  ...ELEMENTS,
  ...RING_BUFFERS,
  ...DYNPTRS,
  ...VALUE_FIELDS,
  ...OBJECT_STORAGE,
];
