/** Accesses that are not proven to stay within what the program may touch. */

import { type DiagnosticRow, rowsOf } from './row.ts';

const row = rowsOf('memory-safety');

export const MEMORY_SAFETY = {
  'map-value-offset': row(
    "offset {offset} is outside the value of map '{map}' ({size} bytes)",
    'use an offset within the value',
    'invalid access to map value pointer, value_size={size} off={offset}',
  ),
  // The pointer itself.
  'pointer-offset-unbounded': row(
    'the offset added to a {kind} has no bound: {proven}',
    'bound the offset first, from below and above: use an unsigned type and compare, or mask it',
    'math between {linux} pointer and register with unbounded min value is not allowed',
  ),
  'pointer-offset-out-of-range': row(
    'the offset {proven} moves the {kind} too far for any object',
    'bound the offset first',
    'value {least} makes {linux} pointer be out of bounds',
  ),
  'not-a-pointer': row(
    '{register} is a number, not a pointer: it cannot be dereferenced',
    'derive the address from a context, stack, map or packet pointer',
    "{R} invalid mem access 'scalar'",
  ),
  'not-dereferenceable': row(
    'a {kind} cannot be {verb}',
    'pass the pointer to a helper that takes it',
    "{R} invalid mem access '{linux}'",
  ),
  'null-dereference': row(
    '{register} may be null here: {what}',
    'check the pointer for null before using it: if (!p) return 0;',
    "{R} invalid mem access '{linux}_or_null'",
  ),
  'negative-offset': row(
    'the access may begin before the {kind} (offset {proven})',
    'make the index unsigned, or check that it is not negative',
    '{R} min value is negative, either use unsigned index or do a if (index >=0) check.',
  ),
  // The stack.
  'stack-out-of-bounds': row(
    'stack {verb} at {proven}, {size} bytes, is outside the frame (-{most}..-1)',
    'keep the index within the array, and the frame within {most} bytes',
    'invalid {verb} stack R{register} off={low} size={size}',
  ),
  'stack-misaligned': row(
    '{size}-byte stack access at offset {offset} is not aligned to {size} bytes',
    'align the variable (__attribute__((aligned({size})))) or access it in smaller parts',
    'misaligned stack access off 0+0+{offset} size {size}',
  ),
  'stack-uninitialised': row(
    'stack byte {offset} is read but was not written on this path',
    'initialise the variable, padding included: __builtin_memset(&x, 0, sizeof(x))',
    'invalid read from stack off {low}+{part} size {size}',
  ),
  'stack-variable-access': row(
    'a variable index into the stack needs full privilege',
    'use a constant index',
    'R{register} variable stack access prohibited for !root, var_off={proven}',
  ),
  'stack-pointer-to-caller': row(
    "a pointer to this function's own stack would outlive it",
    'pass a buffer of the caller instead',
    'cannot spill pointers to stack into stack frame of the caller',
  ),
  'stack-too-deep': row(
    'the frames of this call chain take {bytes} bytes of stack together; the limit is {most}',
    'move large variables into a map',
    'combined stack size of {frames} calls is {bytes}. Too large',
  ),
  'tail-call-stack': row(
    'a function that makes tail calls has {bytes} bytes of stack above it; less than {most} are allowed',
    'make the tail call in the main program, or move large variables into a map',
    'tail_calls are not allowed when call stack of previous frames is {bytes} bytes. Too large',
  ),
  'call-too-deep': row(
    'calls nest {depth} deep; the limit is {most}',
    'flatten the call chain',
    'the call stack of {depth} frames is too deep !',
  ),
  // Context and packet.
  'context-out-of-bounds': row(
    '{verb} of context bytes {low}..{high}, which {context} does not offer to this program type',
    'access a listed field in its declared size',
    'invalid bpf_context access off={low} size={size}',
  ),
  'context-variable-offset': row(
    'the context is accessed at a variable offset ({proven})',
    'access context fields by constant offset',
    'variable ctx access var_off={proven} disallowed',
  ),
  'context-modified': row(
    'a context pointer moved by {offset} is dereferenced',
    'access fields from the context pointer itself',
    'dereference of modified ctx ptr R{register} off={offset} disallowed',
  ),
  'packet-out-of-bounds': row(
    'packet {verb} may pass the end of the packet: it needs {extent} bytes, {range} are proven',
    'compare the pointer plus {extent} bytes with data_end before the access',
    'invalid access to packet, off={offset} size={size}, R{register}(id={id},off={offset},r={range})',
  ),
  'packet-write': row(
    'programs of this type may not write to the packet',
    'use a helper that rewrites the packet, or another program type',
    'cannot write into packet',
  ),
  // Map values and other regions.
  'map-value-out-of-bounds': row(
    "{verb} of bytes {low}..{high} of a value of map '{map}', which has {extent} bytes",
    'bound the index so that the last byte is within the value',
    'invalid access to map value, value_size={extent} off={offset} size={size}',
  ),
  'map-read-only': row(
    "map '{map}' may not be {verb} by the program",
    'leave out BPF_F_RDONLY_PROG or BPF_F_WRONLY_PROG when the map is made, or use another map',
    'write into map forbidden, value_size={extent} off={offset} size={size}',
  ),
  'memory-out-of-bounds': row(
    '{verb} of bytes {low}..{high} of a region of {extent} bytes',
    'bound the index so that the last byte is within the region',
    'invalid access to memory, mem_size={extent} off={offset} size={size}',
  ),
  'memory-read-only': row(
    'this memory may only be read',
    'write to memory of your own',
    'R{register} cannot write into {linux}',
  ),
  'kernel-object-access': row(
    "{verb} of a kernel object ('{type}'): {problem}",
    'access one member of the structure in its declared size, or use bpf_probe_read_kernel',
    'R{register} is ptr_{type}; {problem}',
  ),
  'trace-buffer-offset': row(
    '{verb} of a trace buffer at {proven}: the offset must be a constant from 0 on',
    'use a constant offset',
    'R{register} invalid tracepoint buffer access: off={low}, size={size}',
  ),
  'object-out-of-bounds': row(
    '{verb} of bytes {low}..{high} of a {kind}, which offers no such field',
    'access a declared field in its declared size',
    'invalid {linux} access off={low} size={size}',
  ),
  misaligned: row(
    '{size}-byte access at {proven} of a {kind} may be misaligned',
    'align the access, or read in smaller parts',
    'misaligned access off {proven} size {size}',
  ),
  // Calls and returns.
  'helper-size-negative': row(
    'the size passed to {name} may be negative or huge: {proven}',
    'use an unsigned type for the size and bound it',
    "R{argument} min value is negative, either use unsigned or 'var &= const'",
  ),
  'helper-size-unbounded': row(
    'the size passed to {name} has no useful bound: {proven}',
    'bound the size before the call',
    "R{argument} unbounded memory access, use 'var &= const' or 'if (var < const)'",
  ),
  'helper-size-zero': row(
    'the size passed to {name} may be 0: {proven}',
    'check that the size is at least 1',
    'R{argument} invalid zero-sized read: u64=[0,{most}]',
  ),
  'return-stack-pointer': row(
    'the function returns a pointer to the stack',
    'return a number, or pass in a buffer',
    'cannot return stack pointer to the caller',
  ),
} as const satisfies Record<string, DiagnosticRow>;
