/**
 * Facts that know next to nothing, for testing the compiler without a verifier: everything is
 * reached, no value is known, and of memory only what is addressed through r10 directly. The
 * programs under test must be safe, and must not pass on addresses of their frames.
 */

import { assemble, encode, type Instruction, type Program, TABLE } from '../../isa/index.ts';
import type { ProvenParts } from '../../jit/source.ts';
import type { Facts, FunctionFact } from '../../verifier/index.ts';

export interface PlainProgram {
  readonly program: Program;
  readonly instructions: readonly Instruction[];
}

/** A `memory` program of these instructions, ready for the compiler. */
export function plainParts(
  instructions: readonly Instruction[],
  contextSize: number,
  facts: Partial<Facts> = {},
): ProvenParts {
  const program: Program = {
    name: 'main',
    file: 'test',
    section: 'memory',
    type: 'memory',
    license: 'GPL',
    flags: [],
    contextSize,
    code: encode(instructions),
    maps: [],
    mapReferences: [],
    kfuncCalls: [],
    functions: [],
    lines: [],
  };
  return {
    program,
    instructions,
    facts: { ...plainFacts({ program, instructions }), ...facts },
    profile: 'memory',
  };
}

export const assembled = (text: string): ProvenParts => plainParts(assemble(text).instructions, 64);

export function plainFacts({ program, instructions }: PlainProgram): Facts {
  const starts = functionStarts(instructions);
  const functions = starts.map((start, i): FunctionFact => {
    const end = starts[i + 1] ?? instructions.length;
    return {
      start,
      end,
      name: start === 0 ? program.name : `function_${start}`,
      stackBytes: 512,
      readsUninitialised: false,
      escaping: undefined,
      isCallback: false,
      isGlobal: false,
      argumentCount: start === 0 ? 2 : 5,
    };
  });
  return {
    reached: () => true,
    mayJump: () => true,
    mayFallThrough: () => true,
    access: (pc) => {
      const instruction = instructions[pc]!;
      const row = TABLE[instruction.op]!;
      const base = row.kind === 'load' ? instruction.src : instruction.dst;
      return {
        region: base === 10 ? 'stack' : 'mixed',
        offset: base === 10 ? instruction.off : undefined,
        sizeBytes: row.sizeBytes,
        frame: base === 10 ? 0 : undefined,
        map: undefined,
        field: undefined,
        aligned: false,
      };
    },
    operand: () => ({
      pointer: false,
      constant: undefined,
      significantBits: 64,
      signedBits: 64,
      nonZero: false,
      nonZero32: false,
      notMinusOne: false,
    }),
    call: () => undefined,
    functions,
    worstCaseInstructions: null,
    unboundedBy: 'plain facts',
    exceptionCallback: undefined,
    stackBytes: 512,
  };
}

function functionStarts(instructions: readonly Instruction[]): number[] {
  const starts = new Set([0]);
  instructions.forEach(({ op, imm }, pc) => {
    const { name } = TABLE[op]!;
    if (name === 'call_subprogram' || name === 'constant_function') starts.add(pc + 1 + imm);
  });
  return [...starts].sort((a, b) => a - b);
}
