/**
 * Contexts of kprobe, perf_event and netfilter programs, and flow keys. Members: uapi linux/bpf.h,
 * bpf_perf_event.h, and struct pt_regs of x86-64 (asm/ptrace.h). Views: the running kernel's answers
 * (Linux 6.18), checked by test/platform/kernel.test.ts.
 */

import type { ContextLayout } from '../types.ts';
import { each, type Member, pointer, READ, READ_PART, type Struct, view } from './layout.ts';

const REGISTERS = [
  'r15',
  'r14',
  'r13',
  'r12',
  'bp',
  'bx',
  'r11',
  'r10',
  'r9',
  'r8',
  'ax',
  'cx',
  'dx',
  'si',
  'di',
  'orig_ax',
  'ip',
  'cs',
  'flags',
  'sp',
  'ss',
];

const registers: readonly Member[] = REGISTERS.map((name, index) => ({
  name,
  offset: 8 * index,
  sizeBytes: 8,
}));

const PT_REGS: Struct = { name: 'pt_regs', sizeBytes: 168, members: registers };

const PERF_EVENT: Struct = {
  name: 'bpf_perf_event_data',
  sizeBytes: 184,
  members: [
    ...registers,
    { name: 'sample_period', offset: 168, sizeBytes: 8 },
    { name: 'addr', offset: 176, sizeBytes: 8 },
  ],
};

const NETFILTER: Struct = {
  name: 'bpf_nf_ctx',
  sizeBytes: 16,
  members: [
    { name: 'state', offset: 0, sizeBytes: 8 },
    { name: 'skb', offset: 8, sizeBytes: 8 },
  ],
};

export const TRACING_LAYOUTS: readonly ContextLayout[] = [
  view(PT_REGS, null, each(REGISTERS, READ_PART)),
  view(PERF_EVENT, null, {
    ...each(REGISTERS, READ),
    ...each(['sample_period', 'addr'], READ_PART),
  }),
  view(NETFILTER, null, {
    state: pointer('btf', { typeName: 'nf_hook_state' }),
    skb: pointer('btf', { typeName: 'sk_buff' }),
  }),
];

/** struct bpf_flow_keys: plain memory, read and written at any offset and size. */
export const FLOW_KEYS_BYTES = 56;
