/** Values used as what they are not. */

import { type DiagnosticRow, rowsOf } from './row.ts';

const row = rowsOf('type-safety');

export const TYPE_SAFETY = {
  'map-no-direct-value': row(
    "the values of map '{map}' ({type}) have no fixed address",
    'look the value up with bpf_map_lookup_elem',
    'map type does not support direct value access',
  ),
  // Registers and arithmetic.
  'uninitialised-register': row(
    '{register} has no value here',
    'set {register} on every path before this instruction; calls destroy r1 to r5',
    '{R} !read_ok',
  ),
  'frame-pointer-write': row(
    'r10, the frame pointer, cannot be changed',
    'copy r10 to another register and change that',
    'frame pointer is read only',
  ),
  'pointer-arithmetic': row(
    "'{operation}' is not defined on a {kind}",
    'only add to or subtract from a pointer; compare pointers instead of computing with their bits',
    '{R} {what}',
  ),
  'pointer-arithmetic-32': row(
    'a 32-bit operation would cut a {kind} in half',
    'use 64-bit arithmetic on pointers',
    '{R} 32-bit pointer arithmetic prohibited',
  ),
  'pointer-plus-pointer': row(
    'two pointers cannot be added ({first} and {second})',
    'add a number to a pointer',
    '{R} pointer += pointer prohibited',
  ),
  'pointer-from-number': row(
    'a pointer cannot be subtracted from a number',
    'subtract the number from the pointer, or two pointers from each other',
    '{R} tried to subtract pointer from scalar',
  ),
  // Arithmetic that Linux makes safe on guessed paths, for loaders without CAP_PERFMON.
  'masking-sign': row(
    'the number added to a pointer may be negative or positive, which cannot be masked',
    'check that the number is not negative before adding it, or load the program with CAP_PERFMON',
    '{R} has unknown scalar with mixed signed bounds, pointer arithmetic with it prohibited for !root',
  ),
  'masking-kind': row(
    'a number that is not a constant of the instruction is added to a pointer that cannot be masked',
    'add constants only, or load the program with CAP_PERFMON',
    '{R} has pointer with unsupported alu operation, pointer arithmetic with it prohibited for !root',
  ),
  'masking-end': row(
    'the pointer is at the end of its object before or after this arithmetic',
    'keep the pointer inside of the object, or load the program with CAP_PERFMON',
    '{R} tried to add beyond pointer bounds, pointer arithmetic with it prohibited for !root',
  ),
  'masking-left': row(
    'the pointer leaves its object (offset {offset}), even if it comes back before it is used',
    'keep the pointer inside of the object, or load the program with CAP_PERFMON',
    '{R} pointer arithmetic goes out of range, prohibited for !root; off={offset}',
  ),
  'masking-paths': row(
    'this instruction adds to another object, at another distance or to a number on another path',
    'write the arithmetic once for each path, or load the program with CAP_PERFMON',
    '{R} tried to {operation} from different maps, paths or scalars, pointer arithmetic with it prohibited for !root',
  ),
  'pointer-maybe-null-arithmetic': row(
    '{register} may be null: arithmetic on it would hide that',
    'check it for null first',
    '{R} pointer arithmetic on {linux}_or_null prohibited, null-check it first',
  ),
  'stack-pointer-subtraction': row(
    'a number cannot be subtracted from a stack pointer',
    'add the negative number instead',
    '{R} subtraction from stack pointer prohibited',
  ),
  'pointer-fixed': row(
    'a {kind} cannot be moved',
    'use the pointer as it is',
    '{R} pointer arithmetic on {linux} prohibited',
  ),
  'pointer-comparison': row(
    'a {kind} cannot be compared this way',
    'compare pointers only with null, with a pointer of the same object, or with the packet end',
    '{R} pointer comparison prohibited',
  ),
  'pointer-leak': row(
    'a {kind} would leave the program as a number',
    'store or return a number; unprivileged programs may not reveal addresses',
    '{R} leaks addr {where}',
  ),
  // What is kept on the stack or in a map.
  'stack-partial-pointer': row(
    'part of a pointer kept on the stack is accessed',
    'read or overwrite the whole 8 bytes',
    'corrupted spill memory',
  ),
  'pointer-part-spilled': row(
    'a pointer is kept on the stack in less than 8 bytes',
    'store all 8 bytes of the pointer',
    'invalid size of register spill',
  ),
  'stack-special-bytes': row(
    'the bytes at stack offset {offset} belong to a {object} and are changed only by its functions',
    'use the functions of the {object}',
    'cannot access {object} bytes on the stack',
  ),
  'throw-in-callback': row(
    'a function that a helper calls may not end the program',
    'return 1 to end the loop, and throw after the call',
    'bpf_throw cannot be called from callback subprog',
  ),
  'map-special-field': row(
    "bytes {low}..{high} of map '{map}' hold a {object}, which only its functions may touch",
    'use the functions of the {object}',
    '{object} cannot be accessed directly by load/store',
  ),
  'kernel-context': row(
    'behind the context of a {type} program is no structure of the kernel',
    'use the context as it is',
    'kern ctx type id is not a struct',
  ),
  'mixed-pointers': row(
    'this instruction accesses a {kind} on one path and a {other} on another',
    'access each through an instruction of its own',
    'same insn cannot be used with different pointers',
  ),
  'atomic-target': row(
    'atomic operations are not allowed on a {kind}',
    'use a map value or the stack',
    'BPF_ATOMIC stores into R{register} {linux} is not allowed',
  ),
  'dynptr-form': row(
    '{name} takes a {wanted} dynptr; this is a {form} one',
    'pass a {wanted} dynptr',
    'Expected a dynptr of type {wanted} as arg #{argument}',
  ),
  'field-missing': row(
    'the argument of {name} does not point at a {structure} (offset {offset})',
    'pass the address of the field within the map value',
    "off {offset} doesn't point to 'struct {structure}' that is at {at}",
  ),
  'field-other-map': row(
    'argument {argument} of {name} is not the map that contains the {structure}',
    'pass the map that the value was looked up in',
    "{structure} pointer in R{register} doesn't match map pointer in R{argument}",
  ),
  'kptr-store': row(
    'a pointer that a map owns is changed by a plain store',
    'use bpf_kptr_xchg',
    'store to referenced kptr disallowed',
  ),
  'lock-missing': row(
    'the argument of {name} does not point at a {structure} (offset {offset})',
    'pass the address of the lock within the value',
    "off {offset} doesn't point to 'struct {structure}' that is at {at}",
  ),
  // Calls and returns.
  'global-function': row(
    "global function '{function}' cannot be verified on its own: {reason}",
    'make the function static, or give it parameters and a result that BTF describes',
    '{linux}',
  ),
  'callback-global': row(
    "'{function}' cannot be called back: it is a global function",
    'make the function static',
    'callback function not static',
  ),
  'arena-several': row(
    'the program uses more than one arena',
    'keep everything in one map of type arena',
    'Only one arena per program',
  ),
  'arena-missing': row(
    'an address is cast into an arena, but the program uses none',
    'refer to the map of type arena in the same program',
    'addr_space_cast insn can only be used in a program that has an associated arena',
  ),
  'format-string': row(
    'the format for {name} cannot be used: {problem}',
    'give each conversion a number; conversions are %d %i %u %x %X (with l or ll), %c, %s and %p',
    'Invalid format string',
  ),
  'exception-callback': row(
    'the function that catches exceptions cannot be used: {reason}',
    'name one global function that takes one number, returns a number, and is not called otherwise',
    '{linux}',
  ),
  'call-target-unknown': row(
    'the call goes through {register}, a {kind}: which function it is was not proven',
    'load the address of one function into the register on every path',
    'unknown opcode 8d',
  ),
  'helper-argument': row(
    'argument {argument} of {name} must be {expected}; {register} is {proven}',
    'pass {expected}',
    'R{argument} type={linux} expected={expectedLinux}',
  ),
  'helper-constant-needed': row(
    'argument {argument} of {name} must be a number known when the program is verified; it is {proven}',
    'pass a constant',
    'R{argument} must be a known constant',
  ),
  'map-type-mismatch': row(
    "{name} does not take map '{map}' of type {type}",
    'use a map type that the helper works on',
    'cannot pass map_type {id} into func {name}#{helper}',
  ),
  'map-key-missing': row(
    "map '{map}' has no keys",
    'use the push, pop and peek helpers',
    'invalid map_ptr to access map->key',
  ),
  'return-value': row(
    'the program returns {proven}; a {type} program must return {expected}',
    'return a value in {expected} on every path',
    'At program exit the register R0 has {proven} should have been in [{least}, {most}]',
  ),
  'return-not-number': row(
    'the program returns a {kind}',
    'return a number',
    'At program exit the register R0 is not a known value ({linux})',
  ),
  'legacy-packet-context': row(
    'legacy packet loads need the context in r6',
    'keep the context in r6',
    'at the time of BPF_LD_ABS|IND R6 != pointer to skb',
  ),
} as const satisfies Record<string, DiagnosticRow>;
