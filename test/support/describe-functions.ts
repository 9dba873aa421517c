/**
 * Gives an assembled program the type information that Linux wants for callbacks, legacy loads and
 * tail calls in local functions: each function is static, takes a number and returns one.
 */

import { decode, type Program, TABLE } from '../../isa/index.ts';
import { buildBtf, INT } from '../btf/build.ts';

const FUNC = 12;
const FUNC_PROTO = 13;
/** Types 1, 2 and 3, in this order. */
const TYPES = [
  INT('int', 4),
  { kind: FUNC_PROTO, vlen: 1, third: 1, rest: ['number', 1] },
  { name: 'local', kind: FUNC, vlen: 0, third: 2 },
];
const FUNCTION_TYPE = 3;

/** Slots at which functions begin: the entry, targets of local calls, functions as values. */
function functionStarts(program: Program): number[] {
  const starts = new Set<number>([0]);
  decode(program.code).instructions.forEach((insn, pc) => {
    const { kind, operation } = TABLE[insn.op]!;
    const calls = kind === 'call' && operation === 'subprogram';
    if (calls || (kind === 'constant' && operation === 'function')) starts.add(pc + 1 + insn.imm);
  });
  return [...starts].sort((a, b) => a - b);
}

export function describeFunctions(program: Program): Program {
  const starts = functionStarts(program);
  if (starts.length === 1) return program;
  const functions = starts.map((instruction) => ({
    instruction,
    typeId: FUNCTION_TYPE,
    name: instruction === 0 ? program.name : `function_${instruction}`,
    linkage: 'static' as const,
  }));
  return { ...program, functions, btf: new Uint8Array(buildBtf(TYPES)) };
}
