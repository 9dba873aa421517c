/** Locks, references, regions and objects that are taken and not given back, or the reverse. */

import { type DiagnosticRow, rowsOf } from './row.ts';

const row = rowsOf('resource-safety');

export const RESOURCE_SAFETY = {
  'throw-reference': row(
    "'{name}' may end the program by an exception while {what} is held",
    'release it before the call',
    'BPF_EXIT instruction in main prog would lead to reference leak',
  ),
  // Objects on the stack.
  'stack-object-state': row(
    'argument {argument} of {name} must be an {state} {object}',
    'make it before use, use each once at a time, and end it on every path',
    'expected an {state} {object} as arg #{argument}',
  ),
  'iterator-outlived': row(
    'the iterator passed to {name} was made in an RCU read section that has ended',
    'iterate within one RCU read section',
    'expected an RCU CS when using {name}',
  ),
  'dynptr-overwritten': row(
    'the dynptr holds a ring-buffer record; overwriting it would lose the record',
    'submit or discard it first',
    'cannot overwrite referenced dynptr',
  ),
  'dynptr-lent': row(
    '{name} changes a dynptr that this callback was only lent',
    'clone it first',
    'cannot pass pointer to const bpf_dynptr, the helper mutates it',
  ),
  'irq-order': row(
    '{name} restores a saved interrupt state that is not the last one saved',
    'restore in the reverse order of saving',
    'cannot restore irq state out of order',
  ),
  'irq-other-origin': row(
    '{name} restores an interrupt state that functions of another kind saved',
    'restore it with the partner of the function that saved it',
    'irq flag acquired by other kfuncs cannot be restored',
  ),
  // Locks.
  'collection-unlocked': row(
    '{name} without the lock that guards the {object}',
    'take the bpf_spin_lock beside the {object} first',
    'bpf_spin_lock must be held for {object}',
  ),
  'tree-comparison': row(
    '{name} cannot be called in the comparison function of a tree',
    'compare the nodes, and nothing else',
    '{name} not allowed in rbtree cb',
  ),
  'lock-nested': row(
    'a spin lock is held already: {name} could deadlock',
    'release the first one first',
    'Locking two bpf_spin_locks are not allowed',
  ),
  'lock-twice': row(
    'the lock is held already',
    'take it once',
    'Acquiring the same lock again, AA deadlock detected',
  ),
  'lock-not-held': row(
    '{name} without a lock held',
    'take the lock on every path that leads here',
    '{name} without taking a lock',
  ),
  'lock-other': row(
    '{name} of a lock that is not held',
    'release the lock through the pointer that it was taken through',
    '{name} of different lock',
  ),
  'lock-order': row(
    '{name} of a lock that is not the last one taken',
    'release locks in the reverse order of taking them',
    '{name} cannot be out of order',
  ),
  'call-while-locked': row(
    '{name} cannot be called while a lock is held',
    'release the lock first, or do the work before taking it',
    'function calls are not allowed while holding a lock',
  ),
  // Regions: RCU, preemption, interrupts.
  'sleep-in-region': row(
    '{name} may sleep, which is not allowed while {what} is held',
    'leave the region first',
    '{linuxKind} {name} is sleepable within {region} region',
  ),
  'region-nested': row(
    'the RCU read lock is held already',
    'take it once',
    'nested rcu read lock (kernel function {name})',
  ),
  'region-not-entered': row(
    '{name} leaves a region that was not entered: {what} is not held',
    'enter the region on every path that leads here',
    '{linuxText}',
  ),
  'region-needed': row(
    '{name} may be called only while the RCU read lock is held',
    'call bpf_rcu_read_lock() first',
    'kernel func {name} requires RCU critical section protection',
  ),
  // References.
  'reference-not-released': row(
    'the {object} from {source} is not released on this path',
    'release it on every path before the program ends',
    'Unreleased reference id={id} alloc_insn={source_pc}',
  ),
  'reference-not-held': row(
    'argument {argument} of {name} does not hold a reference to release',
    'release only what was acquired, once, through the unmodified pointer',
    'R{argument} must be referenced when passed to release function',
  ),
  'legacy-packet-reference': row(
    'a legacy packet load may end the program while {what} is held',
    'release it first',
    'BPF_LD_[ABS|IND] would lead to reference leak',
  ),
  'tail-call-reference': row(
    'a tail call would leave {what} held',
    'release it first',
    'tail_call would lead to reference leak',
  ),
} as const satisfies Record<string, DiagnosticRow>;
