/**
 * Helpers open to almost every program type: time, randomness, processor, text, the current task.
 * Contracts: bpf-helpers(7) and the running kernel's answers (6.18).
 */

import type { HelperRow } from '../types.ts';
import { TC_AND_TUNNELS } from './audience.ts';
import {
  ANYTHING,
  CONTEXT,
  filled,
  kernel,
  MAP,
  MEMORY,
  MEMORY_INOUT,
  MEMORY_INOUT_OR_NULL,
  MEMORY_OR_NULL,
  MEMORY_OUT,
  row,
  SCALAR,
  SIZE,
  SIZE_OR_ZERO,
  STRING,
} from './contract.ts';

/** Reads kernel memory or acts on tasks: CAP_PERFMON. */
const PRIVILEGED = { privileged: true, needsCapBpf: true } as const;
const KERNEL_ONLY = { kernelOnly: true } as const;
const OF_KERNEL = { ...PRIVILEGED, ...KERNEL_ONLY } as const;
const CAP_BPF = { needsCapBpf: true } as const;
const CURRENT_CGROUP = { ...CAP_BPF, ...KERNEL_ONLY } as const;

/** The largest NR_CPUS that Linux can be built with is 8192. */
const MAX_CPU = 8191;

/** Where ktime_get_coarse_ns is offered: networking and security hooks. */
const COARSE_CLOCK = [
  'socket_filter',
  ...TC_AND_TUNNELS,
  'xdp',
  'cgroup_skb',
  'cgroup_sock',
  'sock_ops',
  'sk_skb',
  'sk_msg',
  'cgroup_sock_addr',
  'sk_reuseport',
  'flow_dissector',
  'cgroup_sysctl',
  'sk_lookup',
  'lsm',
  'memory',
];

const CLOCKS: readonly HelperRow[] = [
  row(5, 'ktime_get_ns', '4.1', [], SCALAR),
  row(118, 'jiffies64', '5.6', [], SCALAR, { ...CAP_BPF, ...KERNEL_ONLY }),
  row(125, 'ktime_get_boot_ns', '5.7', [], SCALAR),
  row(160, 'ktime_get_coarse_ns', '5.11', [], SCALAR, { programTypes: COARSE_CLOCK }),
  row(208, 'ktime_get_tai_ns', '6.1', [], SCALAR),
];

const PROCESSOR: readonly HelperRow[] = [
  row(7, 'get_prandom_u32', '4.1', [], SCALAR),
  row(8, 'get_smp_processor_id', '4.1', [], { ...SCALAR, range: { min: 0, max: MAX_CPU } }),
  row(42, 'get_numa_node_id', '4.10', [], SCALAR),
  row(
    153,
    'per_cpu_ptr',
    '5.10',
    [{ kind: 'percpu-btf' }, ANYTHING],
    { kind: 'memory-or-btf', nullable: true, readOnly: true },
    CURRENT_CGROUP,
  ),
  row(
    154,
    'this_cpu_ptr',
    '5.10',
    [{ kind: 'percpu-btf' }],
    { kind: 'memory-or-btf', readOnly: true },
    CURRENT_CGROUP,
  ),
];

const TEXT: readonly HelperRow[] = [
  row(6, 'trace_printk', '4.1', [MEMORY, SIZE, ANYTHING, ANYTHING, ANYTHING], SCALAR, {
    ...PRIVILEGED,
    gpl: true,
    variadicFrom: 2,
    readsByNumber: true,
  }),
  row(177, 'trace_vprintk', '5.16', [MEMORY, SIZE, MEMORY_OR_NULL, SIZE_OR_ZERO], SCALAR, {
    ...PRIVILEGED,
    gpl: true,
    readsByNumber: true,
  }),
  row(105, 'strtol', '5.2', [MEMORY, SIZE, ANYTHING, filled(8)], SCALAR),
  row(106, 'strtoul', '5.2', [MEMORY, SIZE, ANYTHING, filled(8)], SCALAR),
  row(
    165,
    'snprintf',
    '5.13',
    [
      MEMORY_INOUT_OR_NULL,
      SIZE_OR_ZERO,
      { ...STRING, format: true },
      MEMORY_OR_NULL,
      { kind: 'size-or-zero', multipleOf: 8 },
    ],
    SCALAR,
    { ...PRIVILEGED, gpl: true, readsByNumber: true },
  ),
  row(182, 'strncmp', '5.17', [MEMORY, SIZE, STRING], SCALAR),
  row(149, 'snprintf_btf', '5.10', [MEMORY_INOUT, SIZE, MEMORY, SIZE, ANYTHING], SCALAR, OF_KERNEL),
];

const CURRENT_TASK: readonly HelperRow[] = [
  row(14, 'get_current_pid_tgid', '4.2', [], SCALAR),
  row(15, 'get_current_uid_gid', '4.2', [], SCALAR),
  row(16, 'get_current_comm', '4.2', [MEMORY_OUT, SIZE], SCALAR, PRIVILEGED),
  row(17, 'get_cgroup_classid', '4.3', [], SCALAR, {
    ...CURRENT_CGROUP,
    variants: [{ programTypes: TC_AND_TUNNELS, arguments: [CONTEXT] }],
  }),
  row(35, 'get_current_task', '4.8', [], SCALAR, { ...OF_KERNEL, gpl: true }),
  row(37, 'current_task_under_cgroup', '4.9', [MAP, ANYTHING], SCALAR, CURRENT_CGROUP),
  row(80, 'get_current_cgroup_id', '4.18', [], SCALAR, CURRENT_CGROUP),
  row(123, 'get_current_ancestor_cgroup_id', '5.7', [ANYTHING], SCALAR, CURRENT_CGROUP),
  row(120, 'get_ns_current_pid_tgid', '5.7', [ANYTHING, ANYTHING, MEMORY_OUT, SIZE], SCALAR, {
    ...KERNEL_ONLY,
  }),
  row(
    158,
    'get_current_task_btf',
    '5.11',
    [],
    { kind: 'btf', typeName: 'task_struct', trust: 'trusted' },
    { ...OF_KERNEL, gpl: true },
  ),
  row(
    175,
    'task_pt_regs',
    '5.15',
    [kernel('task_struct')],
    { kind: 'btf', typeName: 'pt_regs' },
    {
      ...OF_KERNEL,
      gpl: true,
    },
  ),
  row(109, 'send_signal', '5.3', [ANYTHING], SCALAR, OF_KERNEL),
  row(117, 'send_signal_thread', '5.6', [ANYTHING], SCALAR, OF_KERNEL),
  row(
    180,
    'find_vma',
    '5.17',
    [
      kernel('task_struct'),
      ANYTHING,
      { kind: 'callback', callback: 'find-vma' },
      { kind: 'stack', nullable: true },
      ANYTHING,
    ],
    SCALAR,
    OF_KERNEL,
  ),
];

export const GENERAL_HELPERS: readonly HelperRow[] = [
  ...CLOCKS,
  ...PROCESSOR,
  ...TEXT,
  ...CURRENT_TASK,
];
