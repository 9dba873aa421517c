/**
 * Members of kernel structures that programs may write through a pointer. Everything else is read
 * only: the kernel opens a member where a program type has a use for it.
 *
 * Source: what Linux 6.18 lets the program types write, checked by test/verifier/kernel; the members
 * that congestion controls and schedulers write belong to struct_ops programs.
 */

export interface WritableMember {
  readonly structs: readonly string[];
  readonly member: string;
  readonly programTypes: readonly string[];
}

export const WRITABLE_MEMBERS: readonly WritableMember[] = [
  {
    // Of connections that are tracked, or about to be.
    structs: ['nf_conn', 'nf_conn___init'],
    member: 'mark',
    programTypes: ['sched_cls', 'sched_act', 'xdp'],
  },
];
