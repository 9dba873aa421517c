/** What is wrong with the shape of a program before any path of it is walked. */

import { type DiagnosticRow, rowsOf } from './row.ts';

const row = rowsOf('encoding');

export const ENCODING = {
  'bad-instruction': row(
    '{reason}',
    'rebuild the program with a compiler for the instruction set that this profile has',
    '{linux}',
  ),
  'instruction-set': row(
    "'{name}' is an instruction of -mcpu=v{version}; the profile has v{isa}",
    'compile with -mcpu=v{isa}',
    'unknown opcode {opcode}',
  ),
  'instruction-missing': row(
    "profile '{profile}' has no '{name}'",
    'do without it, or choose a newer profile',
    'unknown opcode {opcode}',
  ),
  'empty-program': row(
    'the program has no instructions',
    'a program needs at least an exit',
    'bpf_prog_load: EINVAL',
  ),
  'jump-out-of-range': row(
    'the jump leaves its function (to instruction {target})',
    'jump only within one function; use a call to enter another',
    'jump out of range from insn {pc} to {target}',
  ),
  'jump-into-constant': row(
    'the jump lands in the second half of a 16-byte constant (instruction {target})',
    'jump to the constant itself or behind it',
    'jump into the middle of ldimm64 insn {target}',
  ),
  'call-out-of-range': row(
    'the call names instruction {target}, where no function begins',
    'call the first instruction of a function',
    'call to invalid destination',
  ),
  'no-exit': row(
    "function '{function}' does not end in an exit or a jump",
    'end every function with exit',
    'last insn is not an exit or jmp',
  ),
  'unreachable-instruction': row(
    'no path reaches this instruction',
    'remove the dead code',
    'unreachable insn {pc}',
  ),
  'map-reference-missing': row(
    'the constant names a map, but no map belongs to it',
    'give the reference in the object file or manifest',
    'fd {imm} is not pointing to valid bpf_map',
  ),
  'division-by-zero': row(
    'the divisor is the constant 0',
    'divide by something else',
    'div by zero',
  ),
  'shift-too-far': row(
    'a shift by {imm} in {width} bits',
    'shift by 0 to {most}',
    'invalid shift {imm}',
  ),
  'kernel-symbol': row(
    'type {imm} is no variable or function of the kernel',
    'name a variable of the kernel: extern const int symbol __ksym;',
    "pseudo btf_id {imm} in ldimm64 isn't KIND_VAR or KIND_FUNC",
  ),
  'program-types': row(
    'the types of the program (BTF) are malformed: {reason}',
    'compile with -g',
    'bpf_btf_load: EINVAL',
  ),
} as const satisfies Record<string, DiagnosticRow>;
