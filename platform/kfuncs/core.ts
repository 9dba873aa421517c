/**
 * Kernel functions that every program type may call: regions, iterators, dynptrs, strings, casts,
 * work queues, arenas, locks. Prototypes, program types and flags: the running kernel's BTF and its
 * answers (6.18), Documentation/bpf/kfuncs.rst; first releases: kernel release notes.
 */

import type { KernelVersion, KfuncFlag, KfuncReturn, KfuncRow } from '../types.ts';
import {
  BOOLEAN,
  contextOf,
  DYNPTR,
  found,
  IGNORED,
  iterator,
  MEMORY,
  MEMORY_INOUT,
  MEMORY_OUT,
  NUMBER,
  type Options,
  object,
  objectOrNull,
  plain,
  released,
  row,
  SCALAR,
  SIZE,
  STRING,
  VOID,
  visited,
} from './contract.ts';

const IRQ_SAVE = { kind: 'irq-flag', irq: 'save' } as const;
const IRQ_RESTORE = { kind: 'irq-flag', irq: 'restore' } as const;
const RESILIENT = { kind: 'resilient-spin-lock' } as const;
/** The lock is held; where the call fails nothing is, which is a path of its own. */
const TAKEN: KfuncReturn = { kind: 'scalar', range: { min: 0, max: 0 } };
const WORKQUEUE = { kind: 'workqueue' } as const;
const MAP = { kind: 'map' } as const;

const REGIONS: readonly KfuncRow[] = [
  row('rcu_read_lock', '6.2', [], VOID, { flags: ['rcu-lock'] }),
  row('rcu_read_unlock', '6.2', [], VOID, { flags: ['rcu-unlock'] }),
  row('preempt_disable', '6.10', [], VOID, { flags: ['preempt-disable'] }),
  row('preempt_enable', '6.10', [], VOID, { flags: ['preempt-enable'] }),
  row('local_irq_save', '6.14', [IRQ_SAVE], VOID, { flags: ['irq-save'] }),
  row('local_irq_restore', '6.14', [IRQ_RESTORE], VOID, { flags: ['irq-restore'] }),
  row('res_spin_lock', '6.15', [RESILIENT], TAKEN, { underLock: true, flags: ['lock'] }),
  row('res_spin_unlock', '6.15', [RESILIENT], VOID, { underLock: true, flags: ['unlock'] }),
  row('res_spin_lock_irqsave', '6.15', [RESILIENT, IRQ_SAVE], TAKEN, {
    underLock: true,
    flags: ['lock', 'irq-save'],
  }),
  row('res_spin_unlock_irqrestore', '6.15', [RESILIENT, IRQ_RESTORE], VOID, {
    underLock: true,
    flags: ['unlock', 'irq-restore'],
  }),
];

/** The three functions of an open-coded iterator of type `struct bpf_iter_${name}`. */
function iteration(
  name: string,
  sizeBytes: number,
  since: KernelVersion,
  start: KfuncRow['arguments'],
  yields: KfuncReturn,
  flags: readonly KfuncFlag[] = [],
  options: Options = {},
): readonly KfuncRow[] {
  const self = iterator(`bpf_iter_${name}`, sizeBytes);
  const always: KfuncFlag[] = flags.includes('sleepable') ? ['sleepable'] : [];
  const underLock = name === 'num';
  return [
    row(`iter_${name}_new`, since, [self, ...start], SCALAR, {
      ...options,
      underLock,
      flags: ['iter-new', ...flags],
    }),
    row(`iter_${name}_next`, since, [self], yields, {
      underLock,
      flags: ['iter-next', 'ret-null', ...always],
    }),
    row(`iter_${name}_destroy`, since, [self], VOID, {
      underLock,
      flags: ['iter-destroy', ...always],
    }),
  ];
}

const INTEGER: KfuncReturn = { kind: 'memory', sizeBytes: 4, nullable: true, readOnly: true };

const ITERATORS: readonly KfuncRow[] = [
  ...iteration('num', 8, '6.4', [NUMBER, NUMBER], INTEGER),
  ...iteration('bits', 16, '6.11', [IGNORED, NUMBER], INTEGER, [], { readsByNumber: true }),
  ...iteration('task', 24, '6.7', [objectOrNull('task_struct'), NUMBER], visited('task_struct'), [
    'trusted-args',
    'rcu-protected',
  ]),
  ...iteration(
    'css',
    24,
    '6.7',
    [object('cgroup_subsys_state'), NUMBER],
    visited('cgroup_subsys_state'),
    ['trusted-args', 'rcu-protected'],
  ),
  ...iteration(
    'css_task',
    8,
    '6.7',
    [object('cgroup_subsys_state'), NUMBER],
    visited('task_struct', 'trusted'),
    ['trusted-args'],
    {
      programTypes: ['tracing', 'lsm'],
      attachTypes: { tracing: ['trace_iter'] },
      orSleepable: true,
    },
  ),
  ...iteration(
    'task_vma',
    8,
    '6.7',
    [object('task_struct'), NUMBER],
    visited('vm_area_struct', 'trusted'),
    ['rcu'],
  ),
  ...iteration('kmem_cache', 8, '6.13', [], visited('kmem_cache', 'trusted'), ['sleepable']),
  ...iteration('dmabuf', 8, '6.16', [], visited('dma_buf', 'trusted'), ['sleepable']),
];

/** A slice of a dynptr's bytes, or of the buffer that they were copied to. */
const SLICE = [
  DYNPTR,
  NUMBER,
  { kind: 'memory', access: 'write', nullable: true },
  { kind: 'constant-size' },
] as const;
const SLICED: KfuncReturn = { kind: 'memory', nullable: true, ofDynptr: true };

const DYNPTRS: readonly KfuncRow[] = [
  row('dynptr_slice', '6.4', SLICE, { ...SLICED, readOnly: true }, { flags: ['ret-null'] }),
  row('dynptr_slice_rdwr', '6.4', SLICE, SLICED, { flags: ['ret-null'] }),
  row('dynptr_adjust', '6.5', [DYNPTR, NUMBER, NUMBER], SCALAR),
  row('dynptr_is_null', '6.5', [DYNPTR], BOOLEAN),
  row('dynptr_is_rdonly', '6.5', [DYNPTR], BOOLEAN),
  row('dynptr_size', '6.5', [DYNPTR], SCALAR),
  row(
    'dynptr_clone',
    '6.5',
    [DYNPTR, { kind: 'dynptr', dynptr: 'uninit', creates: 'copy' }],
    SCALAR,
  ),
  row('dynptr_copy', '6.16', [DYNPTR, NUMBER, DYNPTR, NUMBER, NUMBER], SCALAR),
  row('dynptr_memset', '6.17', [DYNPTR, NUMBER, NUMBER, NUMBER], SCALAR),
];

/** Strings, and sources of copies: addresses that nobody has proven. */
const BY_NUMBER = { readsByNumber: true } as const;

const CHARACTERS: readonly KfuncRow[] = [
  ...['strcmp', 'strcasecmp', 'strspn', 'strcspn', 'strstr'].map((name) =>
    row(name, name === 'strcasecmp' ? '6.18' : '6.17', [IGNORED, IGNORED], SCALAR, BY_NUMBER),
  ),
  row('strlen', '6.17', [IGNORED], SCALAR, BY_NUMBER),
  row('strnlen', '6.17', [IGNORED, NUMBER], SCALAR, BY_NUMBER),
  row('strchr', '6.17', [IGNORED, NUMBER], SCALAR, BY_NUMBER),
  row('strchrnul', '6.17', [IGNORED, NUMBER], SCALAR, BY_NUMBER),
  row('strrchr', '6.17', [IGNORED, NUMBER], SCALAR, BY_NUMBER),
  row('strnchr', '6.17', [IGNORED, NUMBER, NUMBER], SCALAR, BY_NUMBER),
  row('strnstr', '6.17', [IGNORED, IGNORED, NUMBER], SCALAR, BY_NUMBER),
  row('stream_vprintk_impl', '6.17', [NUMBER, STRING, MEMORY, SIZE, IGNORED], SCALAR, {
    flags: ['trusted-args'],
    ...BY_NUMBER,
  }),
];

const USER_BYTES = [MEMORY_OUT, SIZE, IGNORED] as const;
const TO_DYNPTR = [DYNPTR, NUMBER, NUMBER, IGNORED] as const;
const TASK = object('task_struct');

const FAR_MEMORY: readonly KfuncRow[] = [
  row('copy_from_user_str', '6.12', [...USER_BYTES, NUMBER], SCALAR, {
    flags: ['sleepable'],
    ...BY_NUMBER,
  }),
  row('copy_from_user_task_str', '6.15', [...USER_BYTES, TASK, NUMBER], SCALAR, {
    flags: ['sleepable'],
  }),
  ...['kernel', 'kernel_str', 'user', 'user_str'].map((what) =>
    row(`probe_read_${what}_dynptr`, '6.16', TO_DYNPTR, SCALAR, BY_NUMBER),
  ),
  ...['user', 'user_str'].map((what) =>
    row(`copy_from_${what}_dynptr`, '6.16', TO_DYNPTR, SCALAR, {
      flags: ['sleepable'],
      ...BY_NUMBER,
    }),
  ),
  ...['user_task', 'user_task_str'].map((what) =>
    row(`copy_from_${what}_dynptr`, '6.16', [...TO_DYNPTR, TASK], SCALAR, {
      flags: ['sleepable', 'trusted-args'],
    }),
  ),
];

const CASTS: readonly KfuncRow[] = [
  row(
    'cast_to_kern_ctx',
    '6.2',
    [{ kind: 'context' }],
    { kind: 'kernel-context' },
    {
      flags: ['fastcall'],
    },
  ),
  row(
    'rdonly_cast',
    '6.2',
    [IGNORED, { kind: 'kernel-type' }],
    { kind: 'read-only-cast' },
    { flags: ['fastcall'] },
  ),
  row('map_sum_elem_count', '6.6', [object('bpf_map')], SCALAR, { flags: ['trusted-args'] }),
  // What is found may be freed at any time, and may be nothing.
  row('get_kmem_cache', '6.13', [NUMBER], {
    kind: 'btf',
    typeName: 'kmem_cache',
    trust: 'untrusted',
  }),
  row('modify_return_test_tp', '6.10', [NUMBER], SCALAR),
  row('cgroup_read_xattr', '6.17', [object('cgroup'), STRING, DYNPTR], SCALAR, { flags: ['rcu'] }),
];

const DEFERRED: readonly KfuncRow[] = [
  row('wq_init', '6.10', [WORKQUEUE, MAP, NUMBER], SCALAR),
  row(
    'wq_set_callback_impl',
    '6.10',
    [WORKQUEUE, { kind: 'callback', callback: 'workqueue' }, NUMBER, IGNORED],
    SCALAR,
  ),
  row('wq_start', '6.10', [WORKQUEUE, NUMBER], SCALAR),
  ...['resume', 'signal'].map((when) =>
    row(
      `task_work_schedule_${when}_impl`,
      '6.18',
      [TASK, { kind: 'task-work' }, MAP, { kind: 'callback', callback: 'task-work' }, IGNORED],
      SCALAR,
      { flags: ['trusted-args'] },
    ),
  ),
];

const SLEEPS_ON_ARENA = { flags: ['trusted-args', 'sleepable'] } as const;

/** Addresses in an arena are numbers until they are cast. */
const ARENAS: readonly KfuncRow[] = [
  row('arena_alloc_pages', '6.9', [MAP, IGNORED, NUMBER, NUMBER, NUMBER], SCALAR, SLEEPS_ON_ARENA),
  row('arena_free_pages', '6.9', [MAP, IGNORED, NUMBER], VOID, SLEEPS_ON_ARENA),
  row('arena_reserve_pages', '6.17', [MAP, IGNORED, NUMBER], SCALAR, SLEEPS_ON_ARENA),
];

/** Contexts as dynptrs, and what grows packets. */
const SKB_PROGRAMS = [
  'socket_filter',
  'sched_cls',
  'sched_act',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'lwt_seg6local',
  'sk_skb',
  'netfilter',
  'tracing',
];
const created = (creates: 'skb' | 'skb-meta' | 'xdp') =>
  ({ kind: 'dynptr', dynptr: 'uninit', creates }) as const;

/** `bpf_xdp_metadata_${name}`: asked of the driver of the one device that the program is for. */
const metadata = (name: string, out: KfuncRow['arguments']): KfuncRow =>
  row(`xdp_metadata_${name}`, '6.3', [contextOf('xdp_buff'), ...out], SCALAR, {
    programTypes: ['xdp'],
    ofDevice: true,
    flags: ['trusted-args'],
  });

const PACKETS: readonly KfuncRow[] = [
  row('dynptr_from_skb', '6.4', [contextOf('sk_buff'), NUMBER, created('skb')], SCALAR, {
    programTypes: SKB_PROGRAMS,
    flags: ['trusted-args'],
  }),
  row('dynptr_from_skb_meta', '6.18', [contextOf('sk_buff'), NUMBER, created('skb-meta')], SCALAR, {
    programTypes: ['sched_cls', 'sched_act'],
    flags: ['trusted-args'],
  }),
  row('dynptr_from_xdp', '6.4', [contextOf('xdp_buff'), NUMBER, created('xdp')], SCALAR, {
    programTypes: ['xdp'],
  }),
  row('xdp_pull_data', '6.18', [contextOf('xdp_buff'), NUMBER], SCALAR, {
    programTypes: ['xdp'],
    changesPacket: true,
  }),
  row('sock_ops_enable_tx_tstamp', '6.15', [object('bpf_sock_ops_kern'), NUMBER], SCALAR, {
    programTypes: ['sock_ops'],
    flags: ['trusted-args'],
  }),
  row(
    'xdp_get_xfrm_state',
    '6.8',
    [contextOf('xdp_buff'), MEMORY_INOUT, SIZE],
    found('xfrm_state'),
    { programTypes: ['xdp'], flags: ['acquire', 'ret-null'] },
  ),
  row('xdp_xfrm_state_release', '6.8', [released('xfrm_state')], VOID, {
    programTypes: ['xdp'],
    flags: ['release'],
  }),
  // What a network card knows of a packet.
  metadata('rx_timestamp', [plain(8)]),
  metadata('rx_hash', [plain(4), plain(4)]),
  metadata('rx_vlan_tag', [plain(2), plain(2)]),
  row('sock_addr_set_sun_path', '6.7', [object('bpf_sock_addr_kern'), MEMORY, SIZE], SCALAR, {
    programTypes: ['cgroup_sock_addr'],
  }),
  row(
    'sk_assign_tcp_reqsk',
    '6.9',
    [contextOf('sk_buff'), object('sock'), MEMORY_INOUT, SIZE],
    SCALAR,
    { programTypes: ['sched_cls'], flags: ['trusted-args'] },
  ),
];

export const CORE_KFUNCS: readonly KfuncRow[] = [
  ...REGIONS,
  ...ITERATORS,
  ...DYNPTRS,
  ...CHARACTERS,
  ...FAR_MEMORY,
  ...CASTS,
  ...DEFERRED,
  ...ARENAS,
  ...PACKETS,
];
