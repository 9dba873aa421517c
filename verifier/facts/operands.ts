/** Facts about operands, from the value analysis: made for all instructions when first asked for. */

import * as domain from '../domain/index.ts';
import type { OperandFact } from '../facts.ts';
import type { Subject } from '../subject.ts';
import type { Cells } from './cells.ts';
import type { Recorder } from './recorder.ts';
import { ValueAnalysis } from './values.ts';

export const UNKNOWN_OPERAND: OperandFact = Object.freeze({
  pointer: false,
  constant: undefined,
  significantBits: 64,
  signedBits: 64,
  nonZero: false,
  nonZero32: false,
  notMinusOne: false,
});

export interface Operands {
  readonly dst: readonly (OperandFact | undefined)[];
  readonly src: readonly (OperandFact | undefined)[];
}

export function operandFacts(subject: Subject, recorder: Recorder): Operands {
  const dst: (OperandFact | undefined)[] = new Array(subject.instructions.length);
  const src: (OperandFact | undefined)[] = new Array(subject.instructions.length);
  const analysis = new ValueAnalysis(subject, recorder);
  if (analysis.run()) {
    analysis.observe((pc, cells) => {
      const insn = subject.instructions[pc]!;
      dst[pc] = factOf(cells, insn.dst);
      src[pc] = factOf(cells, insn.src);
    });
  }
  return { dst, src };
}

function factOf(cells: Cells, register: number): OperandFact {
  const { words } = cells;
  const at = cells.readable(register);
  if (domain.isUnknown(words, at)) return UNKNOWN_OPERAND;
  const isConstant = domain.isConstant(words, at);
  return Object.freeze({
    pointer: false,
    constant: isConstant
      ? Object.freeze({ lo: domain.constantLo(words, at), hi: domain.constantHi(words, at) })
      : undefined,
    significantBits: domain.significantBits(words, at),
    signedBits: domain.signedBits(words, at),
    nonZero: domain.isNonZero(words, at),
    nonZero32: domain.isNonZero32(words, at),
    notMinusOne: domain.isNotMinusOne(words, at) && domain.isNotMinusOne32(words, at),
  });
}
