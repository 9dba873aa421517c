/**
 * Helpers of programs that observe the kernel: reading memory, stacks, perf events, the traced
 * function, iterators' output, and those of lsm and syscall programs. Contracts: bpf-helpers(7) and
 * the running kernel's answers (6.18).
 */

import type { HelperRow } from '../types.ts';
import { BTF_TRACING, OBSERVERS, PROBES, RESULT_HOOKS, TRAMPOLINES } from './audience.ts';
import {
  ANYTHING,
  CONTEXT,
  filled,
  kernel,
  LENGTH,
  MAP,
  MEMORY,
  MEMORY_INOUT,
  MEMORY_INOUT_OR_NULL,
  MEMORY_OR_NULL,
  MEMORY_OUT,
  objectOrNull,
  row,
  SCALAR,
  SIZE,
  SIZE_OR_ZERO,
} from './contract.ts';

const GPL = { gpl: true, privileged: true, needsCapBpf: true, kernelOnly: true } as const;
const PROBING = { ...GPL, readsByNumber: true } as const;
const OPEN = { privileged: true, needsCapBpf: true, kernelOnly: true } as const;
const READ_MEMORY = [MEMORY_OUT, SIZE_OR_ZERO, ANYTHING];
const ITERATOR = {
  ...GPL,
  programTypes: ['tracing'],
  attachTypes: { tracing: ['trace_iter'] },
} as const;

const MEMORY_READS: readonly HelperRow[] = [
  row(4, 'probe_read', '4.1', READ_MEMORY, SCALAR, { ...PROBING, programTypes: OBSERVERS }),
  row(45, 'probe_read_str', '4.11', READ_MEMORY, LENGTH, { ...PROBING, programTypes: OBSERVERS }),
  row(112, 'probe_read_user', '5.5', READ_MEMORY, SCALAR, PROBING),
  row(113, 'probe_read_kernel', '5.5', READ_MEMORY, SCALAR, PROBING),
  row(114, 'probe_read_user_str', '5.5', READ_MEMORY, LENGTH, PROBING),
  row(115, 'probe_read_kernel_str', '5.5', READ_MEMORY, LENGTH, PROBING),
  row(36, 'probe_write_user', '4.8', [ANYTHING, MEMORY, SIZE], SCALAR, {
    ...GPL,
    programTypes: OBSERVERS,
  }),
  row(148, 'copy_from_user', '5.10', READ_MEMORY, SCALAR, {
    ...OPEN,
    sleeps: true,
    readsByNumber: true,
  }),
  row(
    191,
    'copy_from_user_task',
    '5.18',
    [MEMORY_OUT, SIZE_OR_ZERO, ANYTHING, kernel('task_struct'), ANYTHING],
    SCALAR,
    { ...GPL, sleeps: true },
  ),
];

const STACKS_AND_EVENTS: readonly HelperRow[] = [
  row(27, 'get_stackid', '4.6', [CONTEXT, MAP, ANYTHING], SCALAR, {
    ...GPL,
    programTypes: OBSERVERS,
    variants: [{ programTypes: ['perf_event'], gpl: false }],
  }),
  row(67, 'get_stack', '4.18', [CONTEXT, MEMORY_OUT, SIZE_OR_ZERO, ANYTHING], LENGTH, {
    ...GPL,
    programTypes: OBSERVERS,
  }),
  row(
    141,
    'get_task_stack',
    '5.9',
    [kernel('task_struct'), MEMORY_OUT, SIZE_OR_ZERO, ANYTHING],
    LENGTH,
    OPEN,
  ),
  row(22, 'perf_event_read', '4.3', [MAP, ANYTHING], SCALAR, GPL),
  row(55, 'perf_event_read_value', '4.15', [MAP, ANYTHING, MEMORY_OUT, SIZE], SCALAR, GPL),
  row(56, 'perf_prog_read_value', '4.15', [CONTEXT, MEMORY_OUT, SIZE], SCALAR, {
    ...GPL,
    programTypes: ['perf_event'],
  }),
  row(
    119,
    'read_branch_records',
    '5.6',
    [CONTEXT, MEMORY_INOUT_OR_NULL, SIZE_OR_ZERO, ANYTHING],
    SCALAR,
    { ...GPL, programTypes: ['perf_event'] },
  ),
  row(176, 'get_branch_snapshot', '5.16', [MEMORY_OUT, SIZE_OR_ZERO], SCALAR, GPL),
];

const TRACED_FUNCTION: readonly HelperRow[] = [
  row(58, 'override_return', '4.16', [CONTEXT, ANYTHING], SCALAR, {
    ...GPL,
    programTypes: ['kprobe'],
  }),
  row(173, 'get_func_ip', '5.15', [CONTEXT], SCALAR, {
    ...GPL,
    programTypes: ['kprobe', 'tracing'],
    attachTypes: { tracing: TRAMPOLINES.tracing },
  }),
  row(174, 'get_attach_cookie', '5.15', [CONTEXT], SCALAR, {
    ...OPEN,
    programTypes: [...PROBES, 'tracing', 'lsm'],
    attachTypes: { tracing: [...TRAMPOLINES.tracing, 'trace_raw_tp'], lsm: TRAMPOLINES.lsm },
  }),
  row(183, 'get_func_arg', '5.17', [CONTEXT, ANYTHING, filled(8)], SCALAR, {
    ...OPEN,
    programTypes: ['tracing', 'lsm'],
    attachTypes: TRAMPOLINES,
  }),
  row(184, 'get_func_ret', '5.17', [CONTEXT, filled(8)], SCALAR, {
    ...OPEN,
    programTypes: ['tracing', 'lsm'],
    attachTypes: TRAMPOLINES,
  }),
  row(185, 'get_func_arg_cnt', '5.17', [CONTEXT], SCALAR, {
    ...OPEN,
    programTypes: ['tracing', 'lsm'],
    attachTypes: TRAMPOLINES,
  }),
  row(186, 'get_retval', '5.18', [], SCALAR, { kernelOnly: true, ...RESULT_HOOKS }),
  row(187, 'set_retval', '5.18', [ANYTHING], SCALAR, { kernelOnly: true, ...RESULT_HOOKS }),
];

const ITERATOR_OUTPUT: readonly HelperRow[] = [
  row(
    126,
    'seq_printf',
    '5.8',
    [kernel('seq_file'), MEMORY, SIZE, MEMORY_OR_NULL, SIZE_OR_ZERO],
    SCALAR,
    ITERATOR,
  ),
  row(127, 'seq_write', '5.8', [kernel('seq_file'), MEMORY, SIZE_OR_ZERO], SCALAR, ITERATOR),
  row(
    150,
    'seq_printf_btf',
    '5.10',
    [kernel('seq_file'), MEMORY, SIZE_OR_ZERO, ANYTHING],
    SCALAR,
    ITERATOR,
  ),
];

const KERNEL_OBJECTS: readonly HelperRow[] = [
  row(147, 'd_path', '5.10', [kernel('path'), MEMORY_INOUT, SIZE_OR_ZERO], SCALAR, {
    ...OPEN,
    programTypes: ['tracing', 'lsm'],
    attachTypes: { tracing: [...TRAMPOLINES.tracing, 'trace_iter'] },
  }),
  row(162, 'sock_from_file', '5.11', [kernel('file')], objectOrNull('socket'), {
    ...OPEN,
    programTypes: BTF_TRACING,
  }),
  row(159, 'bprm_opts_set', '5.11', [kernel('linux_binprm'), ANYTHING], SCALAR, {
    ...OPEN,
    programTypes: ['lsm'],
  }),
  row(161, 'ima_inode_hash', '5.11', [kernel('inode'), MEMORY_OUT, SIZE], SCALAR, {
    ...OPEN,
    programTypes: ['lsm'],
    sleeps: true,
  }),
  row(193, 'ima_file_hash', '5.18', [kernel('file'), MEMORY_OUT, SIZE], SCALAR, {
    ...OPEN,
    programTypes: ['lsm'],
    sleeps: true,
  }),
];

const SYSCALL = { ...OPEN, programTypes: ['syscall'] } as const;

const SYSTEM_CALLS: readonly HelperRow[] = [
  row(166, 'sys_bpf', '5.14', [ANYTHING, MEMORY, SIZE], SCALAR, SYSCALL),
  row(167, 'btf_find_by_name_kind', '5.14', [MEMORY, SIZE, ANYTHING, ANYTHING], SCALAR, SYSCALL),
  row(168, 'sys_close', '5.14', [ANYTHING], SCALAR, SYSCALL),
  row(
    179,
    'kallsyms_lookup_name',
    '5.16',
    [MEMORY, SIZE_OR_ZERO, ANYTHING, filled(8)],
    SCALAR,
    SYSCALL,
  ),
];

/** Of LIRC: infrared remote controls. */
const INFRARED = { programTypes: ['lirc_mode2'], kernelOnly: true } as const;

const REMOTE_CONTROL: readonly HelperRow[] = [
  row(77, 'rc_repeat', '4.18', [CONTEXT], SCALAR, { ...INFRARED, gpl: true }),
  row(78, 'rc_keydown', '4.18', [CONTEXT, ANYTHING, ANYTHING, ANYTHING], SCALAR, {
    ...INFRARED,
    gpl: true,
  }),
  row(92, 'rc_pointer_rel', '5.0', [CONTEXT, ANYTHING, ANYTHING], SCALAR, {
    ...INFRARED,
    gpl: true,
  }),
];

export const TRACING_HELPERS: readonly HelperRow[] = [
  ...MEMORY_READS,
  ...STACKS_AND_EVENTS,
  ...TRACED_FUNCTION,
  ...ITERATOR_OUTPUT,
  ...KERNEL_OBJECTS,
  ...SYSTEM_CALLS,
  ...REMOTE_CONTROL,
];
