/**
 * The table of diagnostics: every reason for which a program is refused. A row's `code` is stable;
 * tools match on it. `{name}` in a text is filled from the failure's values. `linux` is what the
 * kernel's log prints for the same fault (observed from Linux 6.18), so that people can search for
 * it.
 */

import type { Category } from './diagnostic.ts';

export interface DiagnosticRow {
  readonly category: Category;
  readonly text: string;
  readonly help: string;
  readonly linux: string;
  /** How the verdict classes it; default 'rejected'. */
  readonly outcome?: 'unsupported' | 'limit';
}

const row = (category: Category, text: string, help: string, linux: string): DiagnosticRow =>
  Object.freeze({ category, text, help, linux });
const unsupported = (text: string, help: string, linux: string): DiagnosticRow =>
  Object.freeze({ category: 'environment', text, help, linux, outcome: 'unsupported' });
const limit = (text: string, help: string, linux: string): DiagnosticRow =>
  Object.freeze({ category: 'limit', text, help, linux, outcome: 'limit' });

const ROWS = {
  // Encoding and shape.
  'bad-instruction': row(
    'encoding',
    '{reason}',
    'rebuild the program with a compiler for the instruction set that this profile has',
    '{linux}',
  ),
  'instruction-set': row(
    'encoding',
    "'{name}' is an instruction of -mcpu=v{version}; the profile has v{isa}",
    'compile with -mcpu=v{isa}',
    'unknown opcode {opcode}',
  ),
  'instruction-missing': row(
    'encoding',
    "profile '{profile}' has no '{name}'",
    'do without it, or choose a newer profile',
    'unknown opcode {opcode}',
  ),
  'empty-program': row(
    'encoding',
    'the program has no instructions',
    'a program needs at least an exit',
    'bpf_prog_load: EINVAL',
  ),
  'program-too-long': limit(
    'the program has {count} instructions; the profile allows {most}',
    'split the program with tail calls, or move loops into a helper',
    'BPF program is too large. Processed {count} insn',
  ),
  'jump-out-of-range': row(
    'encoding',
    'the jump leaves its function (to instruction {target})',
    'jump only within one function; use a call to enter another',
    'jump out of range from insn {pc} to {target}',
  ),
  'jump-into-constant': row(
    'encoding',
    'the jump lands in the second half of a 16-byte constant (instruction {target})',
    'jump to the constant itself or behind it',
    'jump into the middle of ldimm64 insn {target}',
  ),
  'call-out-of-range': row(
    'encoding',
    'the call names instruction {target}, where no function begins',
    'call the first instruction of a function',
    'call to invalid destination',
  ),
  'no-exit': row(
    'encoding',
    "function '{function}' does not end in an exit or a jump",
    'end every function with exit',
    'last insn is not an exit or jmp',
  ),
  'unreachable-instruction': row(
    'encoding',
    'no path reaches this instruction',
    'remove the dead code',
    'unreachable insn {pc}',
  ),
  'loop-not-allowed': row(
    'termination',
    'the program has a loop (back to instruction {target}), which this profile does not allow',
    'unroll the loop (#pragma unroll)',
    'back-edge from insn {pc} to {target}',
  ),
  'subprograms-not-allowed': row(
    'environment',
    'the profile does not allow functions besides the entry',
    'mark helper functions __always_inline',
    'function calls to other bpf functions are allowed for CAP_BPF and CAP_SYS_ADMIN',
  ),
  'map-reference-missing': row(
    'encoding',
    'the constant names a map, but no map belongs to it',
    'give the reference in the object file or manifest',
    'fd {imm} is not pointing to valid bpf_map',
  ),
  'map-type-missing': row(
    'environment',
    "the profile '{profile}' has no maps of type {type} (map '{map}')",
    'use another map type, or a newer profile',
    'map_create: EINVAL',
  ),
  'map-not-sleepable': row(
    'environment',
    "programs that may sleep cannot use map '{map}' of type {type}",
    'use an array, hash, ring buffer or local storage',
    'Sleepable programs can only use array, hash, ringbuf and local storage maps',
  ),
  'map-value-offset': row(
    'memory-safety',
    "offset {offset} is outside the value of map '{map}' ({size} bytes)",
    'use an offset within the value',
    'invalid access to map value pointer, value_size={size} off={offset}',
  ),
  'map-no-direct-value': row(
    'type-safety',
    "the values of map '{map}' ({type}) have no fixed address",
    'look the value up with bpf_map_lookup_elem',
    'map type does not support direct value access',
  ),
  'division-by-zero': row(
    'encoding',
    'the divisor is the constant 0',
    'divide by something else',
    'div by zero',
  ),
  'shift-too-far': row(
    'encoding',
    'a shift by {imm} in {width} bits',
    'shift by 0 to {most}',
    'invalid shift {imm}',
  ),
  // Registers.
  'uninitialised-register': row(
    'type-safety',
    '{register} has no value here',
    'set {register} on every path before this instruction; calls destroy r1 to r5',
    '{R} !read_ok',
  ),
  'frame-pointer-write': row(
    'type-safety',
    'r10, the frame pointer, cannot be changed',
    'copy r10 to another register and change that',
    'frame pointer is read only',
  ),
  'pointer-arithmetic': row(
    'type-safety',
    "'{operation}' is not defined on a {kind}",
    'only add to or subtract from a pointer; compare pointers instead of computing with their bits',
    '{R} {what}',
  ),
  'pointer-arithmetic-32': row(
    'type-safety',
    'a 32-bit operation would cut a {kind} in half',
    'use 64-bit arithmetic on pointers',
    '{R} 32-bit pointer arithmetic prohibited',
  ),
  'pointer-plus-pointer': row(
    'type-safety',
    'two pointers cannot be added ({first} and {second})',
    'add a number to a pointer',
    '{R} pointer += pointer prohibited',
  ),
  'pointer-from-number': row(
    'type-safety',
    'a pointer cannot be subtracted from a number',
    'subtract the number from the pointer, or two pointers from each other',
    '{R} tried to subtract pointer from scalar',
  ),
  'pointer-maybe-null-arithmetic': row(
    'type-safety',
    '{register} may be null: arithmetic on it would hide that',
    'check it for null first',
    '{R} pointer arithmetic on {linux}_or_null prohibited, null-check it first',
  ),
  'pointer-fixed': row(
    'type-safety',
    'a {kind} cannot be moved',
    'use the pointer as it is',
    '{R} pointer arithmetic on {linux} prohibited',
  ),
  'pointer-offset-unbounded': row(
    'memory-safety',
    'the offset added to a {kind} has no bound: {proven}',
    'bound the offset first, from below and above: use an unsigned type and compare, or mask it',
    'math between {linux} pointer and register with unbounded min value is not allowed',
  ),
  'pointer-offset-out-of-range': row(
    'memory-safety',
    'the offset {proven} moves the {kind} too far for any object',
    'bound the offset first',
    'value {least} makes {linux} pointer be out of bounds',
  ),
  'pointer-comparison': row(
    'type-safety',
    'a {kind} cannot be compared this way',
    'compare pointers only with null, with a pointer of the same object, or with the packet end',
    '{R} pointer comparison prohibited',
  ),
  'pointer-leak': row(
    'type-safety',
    'a {kind} would leave the program as a number',
    'store or return a number; unprivileged programs may not reveal addresses',
    '{R} leaks addr {where}',
  ),
  'not-a-pointer': row(
    'memory-safety',
    '{register} is a number, not a pointer: it cannot be dereferenced',
    'derive the address from a context, stack, map or packet pointer',
    "{R} invalid mem access 'scalar'",
  ),
  'not-dereferenceable': row(
    'memory-safety',
    'a {kind} cannot be {verb}',
    'pass the pointer to a helper that takes it',
    "{R} invalid mem access '{linux}'",
  ),
  'null-dereference': row(
    'memory-safety',
    '{register} may be null here: {what}',
    'check the pointer for null before using it: if (!p) return 0;',
    "{R} invalid mem access '{linux}_or_null'",
  ),
  'negative-offset': row(
    'memory-safety',
    'the access may begin before the {kind} (offset {proven})',
    'make the index unsigned, or check that it is not negative',
    '{R} min value is negative, either use unsigned index or do a if (index >=0) check.',
  ),
  // Regions.
  'stack-out-of-bounds': row(
    'memory-safety',
    'stack {verb} at {proven}, {size} bytes, is outside the frame (-{most}..-1)',
    'keep the index within the array, and the frame within {most} bytes',
    'invalid {verb} stack R{register} off={low} size={size}',
  ),
  'stack-misaligned': row(
    'memory-safety',
    '{size}-byte stack access at offset {offset} is not aligned to {size} bytes',
    'align the variable (__attribute__((aligned({size})))) or access it in smaller parts',
    'misaligned stack access off 0+0+{offset} size {size}',
  ),
  'stack-uninitialised': row(
    'memory-safety',
    'stack byte {offset} is read but was not written on this path',
    'initialise the variable, padding included: __builtin_memset(&x, 0, sizeof(x))',
    'invalid read from stack off {low}+{part} size {size}',
  ),
  'stack-variable-access': row(
    'memory-safety',
    'a variable index into the stack needs full privilege',
    'use a constant index',
    'R{register} variable stack access prohibited for !root, var_off={proven}',
  ),
  'stack-partial-pointer': row(
    'type-safety',
    'part of a pointer kept on the stack is accessed',
    'read or overwrite the whole 8 bytes',
    'corrupted spill memory',
  ),
  'pointer-part-spilled': row(
    'type-safety',
    'a pointer is kept on the stack in less than 8 bytes',
    'store all 8 bytes of the pointer',
    'invalid size of register spill',
  ),
  'stack-special-bytes': row(
    'type-safety',
    'the bytes at stack offset {offset} belong to a {object} and are changed only by its functions',
    'use the functions of the {object}',
    'cannot access {object} bytes on the stack',
  ),
  'stack-pointer-to-caller': row(
    'memory-safety',
    "a pointer to this function's own stack would outlive it",
    'pass a buffer of the caller instead',
    'cannot spill pointers to stack into stack frame of the caller',
  ),
  'stack-too-deep': row(
    'memory-safety',
    'the frames of this call chain take {bytes} bytes of stack together; the limit is {most}',
    'move large variables into a map',
    'combined stack size of {frames} calls is {bytes}. Too large',
  ),
  'throw-in-callback': row(
    'type-safety',
    'a function that a helper calls may not end the program',
    'return 1 to end the loop, and throw after the call',
    'bpf_throw cannot be called from callback subprog',
  ),
  'throw-reference': row(
    'resource-safety',
    "'{name}' may end the program by an exception while {what} is held",
    'release it before the call',
    'BPF_EXIT instruction in main prog would lead to reference leak',
  ),
  'tail-call-stack': row(
    'memory-safety',
    'a function that makes tail calls has {bytes} bytes of stack above it; less than {most} are allowed',
    'make the tail call in the main program, or move large variables into a map',
    'tail_calls are not allowed when call stack of previous frames is {bytes} bytes. Too large',
  ),
  'call-too-deep': row(
    'memory-safety',
    'calls nest {depth} deep; the limit is {most}',
    'flatten the call chain',
    'the call stack of {depth} frames is too deep !',
  ),
  recursion: row(
    'termination',
    "function '{function}' calls itself",
    'use a loop',
    'recursive call from {caller} to {callee}',
  ),
  'context-out-of-bounds': row(
    'memory-safety',
    '{verb} of context bytes {low}..{high}, which {context} does not offer to this program type',
    'access a listed field in its declared size',
    'invalid bpf_context access off={low} size={size}',
  ),
  'context-variable-offset': row(
    'memory-safety',
    'the context is accessed at a variable offset ({proven})',
    'access context fields by constant offset',
    'variable ctx access var_off={proven} disallowed',
  ),
  'context-modified': row(
    'memory-safety',
    'a context pointer moved by {offset} is dereferenced',
    'access fields from the context pointer itself',
    'dereference of modified ctx ptr R{register} off={offset} disallowed',
  ),
  'packet-out-of-bounds': row(
    'memory-safety',
    'packet {verb} may pass the end of the packet: it needs {extent} bytes, {range} are proven',
    'compare the pointer plus {extent} bytes with data_end before the access',
    'invalid access to packet, off={offset} size={size}, R{register}(id={id},off={offset},r={range})',
  ),
  'packet-write': row(
    'memory-safety',
    'programs of this type may not write to the packet',
    'use a helper that rewrites the packet, or another program type',
    'cannot write into packet',
  ),
  'packet-access-forbidden': row(
    'environment',
    'programs of this type have no direct packet access',
    'use bpf_skb_load_bytes',
    'invalid bpf_context access',
  ),
  'map-value-out-of-bounds': row(
    'memory-safety',
    "{verb} of bytes {low}..{high} of a value of map '{map}', which has {extent} bytes",
    'bound the index so that the last byte is within the value',
    'invalid access to map value, value_size={extent} off={offset} size={size}',
  ),
  'map-read-only': row(
    'memory-safety',
    "map '{map}' may not be {verb} by the program",
    'leave out BPF_F_RDONLY_PROG or BPF_F_WRONLY_PROG when the map is made, or use another map',
    'write into map forbidden, value_size={extent} off={offset} size={size}',
  ),
  'map-special-field': row(
    'type-safety',
    "bytes {low}..{high} of map '{map}' hold a {object}, which only its functions may touch",
    'use the functions of the {object}',
    '{object} cannot be accessed directly by load/store',
  ),
  'memory-out-of-bounds': row(
    'memory-safety',
    '{verb} of bytes {low}..{high} of a region of {extent} bytes',
    'bound the index so that the last byte is within the region',
    'invalid access to memory, mem_size={extent} off={offset} size={size}',
  ),
  'memory-read-only': row(
    'memory-safety',
    'this memory may only be read',
    'write to memory of your own',
    'R{register} cannot write into {linux}',
  ),
  'kernel-object-access': row(
    'memory-safety',
    "{verb} of a kernel object ('{type}'): {problem}",
    'access one member of the structure in its declared size, or use bpf_probe_read_kernel',
    'R{register} is ptr_{type}; {problem}',
  ),
  'kernel-object-licence': row(
    'environment',
    "kernel structure '{type}' is open to programs under a GPL-compatible licence; this one says '{license}'",
    'state the licence: char LICENSE[] SEC("license") = "GPL";',
    "Cannot access kernel 'struct {type}' from non-GPL compatible program",
  ),
  'trace-buffer-offset': row(
    'memory-safety',
    '{verb} of a trace buffer at {proven}: the offset must be a constant from 0 on',
    'use a constant offset',
    'R{register} invalid tracepoint buffer access: off={low}, size={size}',
  ),
  'attach-target': row(
    'environment',
    'the program cannot be attached: {reason}',
    'choose another function, tracepoint or hook',
    '{reason}',
  ),
  'kernel-symbol': row(
    'encoding',
    'type {imm} is no variable or function of the kernel',
    'name a variable of the kernel: extern const int symbol __ksym;',
    "pseudo btf_id {imm} in ldimm64 isn't KIND_VAR or KIND_FUNC",
  ),
  'kernel-symbol-unsupported': unsupported(
    'the address of a kernel symbol is taken, and the types that say what it is are unknown',
    'give the kernel types (--kernel-btf); symbols of modules are not supported',
    'kernel is missing BTF, make sure CONFIG_DEBUG_INFO_BTF=y is specified in Kconfig.',
  ),
  'program-type-missing': row(
    'environment',
    "the profile '{profile}' has no programs of type {type}",
    'choose another profile, or another program type',
    'bpf_prog_load: EINVAL',
  ),
  'program-type-privilege': row(
    'environment',
    'programs of type {type} need {needs}',
    'load the program with that privilege',
    'bpf_prog_load: EPERM',
  ),
  'attach-type': row(
    'environment',
    "programs of type {type} cannot be loaded for attach type '{attachType}'",
    'name an attach type of the program type in its section',
    'bpf_prog_load: EINVAL',
  ),
  'kernel-context': row(
    'type-safety',
    'behind the context of a {type} program is no structure of the kernel',
    'use the context as it is',
    'kern ctx type id is not a struct',
  ),
  'not-sleepable': row(
    'environment',
    'programs of this type and attach type cannot be sleepable',
    'leave the sleepable flag out',
    'Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable',
  ),
  'must-sleep': row(
    'environment',
    'programs of this type are always sleepable',
    'set the sleepable flag: SEC("syscall") does',
    'Syscall programs can only be sleepable',
  ),
  'object-out-of-bounds': row(
    'memory-safety',
    '{verb} of bytes {low}..{high} of a {kind}, which offers no such field',
    'access a declared field in its declared size',
    'invalid {linux} access off={low} size={size}',
  ),
  misaligned: row(
    'memory-safety',
    '{size}-byte access at {proven} of a {kind} may be misaligned',
    'align the access, or read in smaller parts',
    'misaligned access off {proven} size {size}',
  ),
  'mixed-pointers': row(
    'type-safety',
    'this instruction accesses a {kind} on one path and a {other} on another',
    'access each through an instruction of its own',
    'same insn cannot be used with different pointers',
  ),
  'atomic-target': row(
    'type-safety',
    'atomic operations are not allowed on a {kind}',
    'use a map value or the stack',
    'BPF_ATOMIC stores into R{register} {linux} is not allowed',
  ),
  // Calls.
  'helper-unknown': row(
    'environment',
    'no helper has number {helper}',
    'check the helper number',
    'invalid func unknown#{helper}',
  ),
  'helper-too-new': row(
    'environment',
    'helper {name} (number {helper}) came with Linux {since}; the profile is {profile}',
    'use a newer kernel, or do without this helper',
    'invalid func {name}#{helper}',
  ),
  'helper-not-allowed': row(
    'environment',
    'a program of type {type} cannot call {name}',
    'use a helper that this program type offers',
    'program of this type cannot use helper {name}#{helper}',
  ),
  'helper-gpl': row(
    'environment',
    "{name} is for programs under a GPL-compatible licence; this one says '{license}'",
    'state the licence: char LICENSE[] SEC("license") = "GPL";',
    'cannot call GPL-restricted function from non-GPL compatible program',
  ),
  'helper-sleeps': row(
    'environment',
    '{name} may sleep, which is not allowed here',
    'mark the program sleepable (SEC("...s/")), or leave the critical region first',
    'helper {name}#{helper} may sleep in non-sleepable prog',
  ),
  'helper-privilege': row(
    'environment',
    '{name} needs more privilege than the program is loaded with',
    'load the program with CAP_BPF and CAP_PERFMON',
    'program of this type cannot use helper {name}#{helper}',
  ),
  'helper-unsupported': unsupported(
    '{name} has no semantics here: {reason}',
    'verify this program with a kernel',
    '',
  ),
  'kfunc-unsupported': unsupported(
    'kernel function {name} has no semantics here',
    'verify this program with a kernel',
    'calling kernel function {name} is not allowed',
  ),
  'kfunc-too-new': row(
    'environment',
    'kernel function {name} came with Linux {since}; the profile is {profile}',
    'use a newer kernel, or do without this function',
    'calling kernel function {name} is not allowed',
  ),
  'kfunc-not-allowed': row(
    'environment',
    'a program of type {type} cannot call kernel function {name}',
    'use a function that this program type offers',
    'calling kernel function {name} is not allowed',
  ),
  'kfunc-gpl': row(
    'environment',
    "kernel functions are for programs under a GPL-compatible licence; this one says '{license}'",
    'state the licence: char LICENSE[] SEC("license") = "GPL";',
    'cannot call kernel function from non-GPL compatible program',
  ),
  'kfunc-sleeps': row(
    'environment',
    'kernel function {name} may sleep, which this program may not',
    'mark the program sleepable (SEC("...s/"))',
    'program must be sleepable to call sleepable kfunc {name}',
  ),
  // Objects on the stack, locks.
  'stack-object-state': row(
    'resource-safety',
    'argument {argument} of {name} must be an {state} {object}',
    'make it before use, use each once at a time, and end it on every path',
    'expected an {state} {object} as arg #{argument}',
  ),
  'iterator-outlived': row(
    'resource-safety',
    'the iterator passed to {name} was made in an RCU read section that has ended',
    'iterate within one RCU read section',
    'expected an RCU CS when using {name}',
  ),
  'dynptr-overwritten': row(
    'resource-safety',
    'the dynptr holds a ring-buffer record; overwriting it would lose the record',
    'submit or discard it first',
    'cannot overwrite referenced dynptr',
  ),
  'dynptr-lent': row(
    'resource-safety',
    '{name} changes a dynptr that this callback was only lent',
    'clone it first',
    'cannot pass pointer to const bpf_dynptr, the helper mutates it',
  ),
  'dynptr-form': row(
    'type-safety',
    '{name} takes a {wanted} dynptr; this is a {form} one',
    'pass a {wanted} dynptr',
    'Expected a dynptr of type {wanted} as arg #{argument}',
  ),
  'irq-order': row(
    'resource-safety',
    '{name} restores a saved interrupt state that is not the last one saved',
    'restore in the reverse order of saving',
    'cannot restore irq state out of order',
  ),
  'irq-other-origin': row(
    'resource-safety',
    '{name} restores an interrupt state that functions of another kind saved',
    'restore it with the partner of the function that saved it',
    'irq flag acquired by other kfuncs cannot be restored',
  ),
  'map-field-not-allowed': row(
    'environment',
    "programs of type {type} cannot use map '{map}', whose values hold a {object}",
    'use another map, or another program type',
    'progs of this type cannot use {object} yet',
  ),
  'field-missing': row(
    'type-safety',
    'the argument of {name} does not point at a {structure} (offset {offset})',
    'pass the address of the field within the map value',
    "off {offset} doesn't point to 'struct {structure}' that is at {at}",
  ),
  'field-other-map': row(
    'type-safety',
    'argument {argument} of {name} is not the map that contains the {structure}',
    'pass the map that the value was looked up in',
    "{structure} pointer in R{register} doesn't match map pointer in R{argument}",
  ),
  'collection-unlocked': row(
    'resource-safety',
    '{name} without the lock that guards the {object}',
    'take the bpf_spin_lock beside the {object} first',
    'bpf_spin_lock must be held for {object}',
  ),
  'tree-comparison': row(
    'resource-safety',
    '{name} cannot be called in the comparison function of a tree',
    'compare the nodes, and nothing else',
    '{name} not allowed in rbtree cb',
  ),
  'kptr-store': row(
    'type-safety',
    'a pointer that a map owns is changed by a plain store',
    'use bpf_kptr_xchg',
    'store to referenced kptr disallowed',
  ),
  'lock-missing': row(
    'type-safety',
    'the argument of {name} does not point at a {structure} (offset {offset})',
    'pass the address of the lock within the value',
    "off {offset} doesn't point to 'struct {structure}' that is at {at}",
  ),
  'lock-nested': row(
    'resource-safety',
    'a spin lock is held already: {name} could deadlock',
    'release the first one first',
    'Locking two bpf_spin_locks are not allowed',
  ),
  'lock-twice': row(
    'resource-safety',
    'the lock is held already',
    'take it once',
    'Acquiring the same lock again, AA deadlock detected',
  ),
  'lock-not-held': row(
    'resource-safety',
    '{name} without a lock held',
    'take the lock on every path that leads here',
    '{name} without taking a lock',
  ),
  'lock-other': row(
    'resource-safety',
    '{name} of a lock that is not held',
    'release the lock through the pointer that it was taken through',
    '{name} of different lock',
  ),
  'lock-order': row(
    'resource-safety',
    '{name} of a lock that is not the last one taken',
    'release locks in the reverse order of taking them',
    '{name} cannot be out of order',
  ),
  // Regions: locks, RCU, preemption, interrupts.
  'call-while-locked': row(
    'resource-safety',
    '{name} cannot be called while a lock is held',
    'release the lock first, or do the work before taking it',
    'function calls are not allowed while holding a lock',
  ),
  'sleep-in-region': row(
    'resource-safety',
    '{name} may sleep, which is not allowed while {what} is held',
    'leave the region first',
    '{linuxKind} {name} is sleepable within {region} region',
  ),
  'region-nested': row(
    'resource-safety',
    'the RCU read lock is held already',
    'take it once',
    'nested rcu read lock (kernel function {name})',
  ),
  'region-not-entered': row(
    'resource-safety',
    '{name} leaves a region that was not entered: {what} is not held',
    'enter the region on every path that leads here',
    '{linuxText}',
  ),
  'region-needed': row(
    'resource-safety',
    '{name} may be called only while the RCU read lock is held',
    'call bpf_rcu_read_lock() first',
    'kernel func {name} requires RCU critical section protection',
  ),
  'call-unsupported': row(
    'environment',
    "this profile has no '{name}'",
    'call the function by its name',
    'unknown opcode {opcode}',
  ),
  'global-function': row(
    'type-safety',
    "global function '{function}' cannot be verified on its own: {reason}",
    'make the function static, or give it parameters and a result that BTF describes',
    '{linux}',
  ),
  'call-target-unknown': row(
    'type-safety',
    'the call goes through {register}, a {kind}: which function it is was not proven',
    'load the address of one function into the register on every path',
    'unknown opcode 8d',
  ),
  'program-type-unsupported': unsupported(
    'programs of type {type} are not supported: {reason}',
    'verify this program with a kernel',
    '',
  ),
  'program-types': row(
    'encoding',
    'the types of the program (BTF) are malformed: {reason}',
    'compile with -g',
    'bpf_btf_load: EINVAL',
  ),
  'program-unresolved': unsupported(
    '{reason}',
    'give the kernel types the program was built against (--kernel-btf)',
    'invalid func unknown#195896080',
  ),
  'helper-argument': row(
    'type-safety',
    'argument {argument} of {name} must be {expected}; {register} is {proven}',
    'pass {expected}',
    'R{argument} type={linux} expected={expectedLinux}',
  ),
  'helper-size-negative': row(
    'memory-safety',
    'the size passed to {name} may be negative or huge: {proven}',
    'use an unsigned type for the size and bound it',
    "R{argument} min value is negative, either use unsigned or 'var &= const'",
  ),
  'helper-size-unbounded': row(
    'memory-safety',
    'the size passed to {name} has no useful bound: {proven}',
    'bound the size before the call',
    "R{argument} unbounded memory access, use 'var &= const' or 'if (var < const)'",
  ),
  'helper-size-zero': row(
    'memory-safety',
    'the size passed to {name} may be 0: {proven}',
    'check that the size is at least 1',
    'R{argument} invalid zero-sized read: u64=[0,{most}]',
  ),
  'helper-constant-needed': row(
    'type-safety',
    'argument {argument} of {name} must be a number known when the program is verified; it is {proven}',
    'pass a constant',
    'R{argument} must be a known constant',
  ),
  'map-type-mismatch': row(
    'type-safety',
    "{name} does not take map '{map}' of type {type}",
    'use a map type that the helper works on',
    'cannot pass map_type {id} into func {name}#{helper}',
  ),
  'map-key-missing': row(
    'type-safety',
    "map '{map}' has no keys",
    'use the push, pop and peek helpers',
    'invalid map_ptr to access map->key',
  ),
  'reference-not-released': row(
    'resource-safety',
    'the {object} from {source} is not released on this path',
    'release it on every path before the program ends',
    'Unreleased reference id={id} alloc_insn={source_pc}',
  ),
  'reference-not-held': row(
    'resource-safety',
    'argument {argument} of {name} does not hold a reference to release',
    'release only what was acquired, once, through the unmodified pointer',
    'R{argument} must be referenced when passed to release function',
  ),
  'reference-limit': limit(
    'more than {most} references are held at once',
    'release references earlier',
    '',
  ),
  'return-value': row(
    'type-safety',
    'the program returns {proven}; a {type} program must return {expected}',
    'return a value in {expected} on every path',
    'At program exit the register R0 has {proven} should have been in [{least}, {most}]',
  ),
  'return-not-number': row(
    'type-safety',
    'the program returns a {kind}',
    'return a number',
    'At program exit the register R0 is not a known value ({linux})',
  ),
  'return-stack-pointer': row(
    'memory-safety',
    'the function returns a pointer to its own stack',
    'return a number, or pass in a buffer',
    'cannot return stack pointer to the caller',
  ),
  'legacy-packet-load': row(
    'environment',
    'programs of type {type} have no legacy packet loads',
    'use direct packet access',
    'BPF_LD_[ABS|IND] instructions not allowed for this program type',
  ),
  'legacy-packet-context': row(
    'type-safety',
    'legacy packet loads need the context in r6',
    'keep the context in r6',
    'at the time of BPF_LD_ABS|IND R6 != pointer to skb',
  ),
  'legacy-packet-reference': row(
    'resource-safety',
    'a legacy packet load may end the program while {what} is held',
    'release it first',
    'BPF_LD_[ABS|IND] would lead to reference leak',
  ),
  'early-return': row(
    'environment',
    'function {function} may be left in its middle by {what}, which nothing here allows',
    'move the instruction into the program itself, or build with BTF (clang -g)',
    '{what} is not allowed in subprogs without BTF',
  ),
  'tail-call-reference': row(
    'resource-safety',
    'a tail call would leave {what} held',
    'release it first',
    'tail_call would lead to reference leak',
  ),
  // Termination and limits.
  'infinite-loop': row(
    'termination',
    'the loop may run for ever: a pass changes nothing that decides whether it ends',
    'count the passes and compare the counter with a constant',
    'infinite loop detected at insn {pc}',
  ),
  'too-complex': limit(
    'the program was not verified within {most} {unit}: {reason}',
    'simplify loops: keep state that changes per pass small, or use bpf_loop',
    'BPF program is too large. Processed {count} insn',
  ),
} as const satisfies Record<string, DiagnosticRow>;

export type DiagnosticCode = keyof typeof ROWS;
export const DIAGNOSTICS: Readonly<Record<DiagnosticCode, DiagnosticRow>> = Object.freeze(ROWS);

/** `text` with `{name}` replaced by the values. */
export function fillText(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
