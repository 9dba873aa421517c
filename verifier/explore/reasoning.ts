/**
 * Two measures of reasoning. Profiles of Linux are walked first with no more than Linux itself
 * knows, so that acceptance means that Linux accepts, too; only when that fails, and something was
 * withheld, the program is walked again with everything that holds. A proof that needed it says so:
 * its `linux` is `unknown`, and the rules are named in the warnings.
 *
 * What Linux makes of each operation was observed on 6.18 in the verifier's log (level 2).
 */

import type { Row } from '../../isa/index.ts';
import * as domain from '../domain/index.ts';

export type Reasoning = 'linux' | 'full';

/** What this verifier knows and Linux does not. */
export const BEYOND_LINUX = {
  'quotient-range': 'the range of a quotient or remainder',
  'loop-index': 'the index that bpf_loop passes is below the number of passes',
  'variable-shift': 'the range of a shift by an amount that varies',
  'wide-shift': 'the range of a shift that may lose high bits',
  'constant-key': 'array elements exist from the beginning',
  'offset-before-pointer': 'a varying offset that may lead back from a pointer',
  'null-in-register': 'a comparison of a pointer with a register that holds 0',
  'never-null': 'a comparison with 0 of a pointer that cannot be null',
  'packet-start': 'the first byte of a packet, or a packet that ends at a pointer',
  'legacy-load': 'the size of what a legacy packet load yields',
  'bare-callback': 'a callback of which no type information tells that it is static',
  refinement: 'ranges and known bits that tell each other more than Linux has them tell',
  'copied-distance': 'the distance between numbers of which one is a copy of a sum',
  'distant-number': 'an offset that is known by its distance of 2^29 or more from another number',
  'shared-bits': 'the only bit that two numbers may have in common',
  'same-register': 'a comparison of a register with itself',
  contradiction: 'a branch that what is known of its operands rules out',
  'impossible-path': 'branches that contradict each other, found by looking back over the path',
  'path-range': 'the range of a number, found by looking back over the branches of the path',
  'joint-bound': 'an offset and a size that the branches of the path bound together',
} as const;
export type BeyondLinux = keyof typeof BEYOND_LINUX;

/** The rule by which the result of an arithmetic row is known here, where Linux knows nothing. */
export function beyondLinux(row: Row, words: Int32Array, operand: number): BeyondLinux | undefined {
  switch (row.operation) {
    case 'div':
    case 'mod':
    case 'sdiv':
    case 'smod':
      return 'quotient-range';
    case 'lsh':
    case 'rsh':
    case 'arsh':
      return isConstantAmount(row, words, operand) ? undefined : 'variable-shift';
    default:
      return undefined;
  }
}

function isConstantAmount(row: Row, words: Int32Array, operand: number): boolean {
  return row.width === 32
    ? domain.isConstantLow(words, operand) && domain.unsignedMax32(words, operand) < 32
    : domain.isConstant(words, operand) && domain.unsignedMax(words, operand) < 64;
}

/**
 * Whether Linux forgets the range of `number` when the row shifts it left by a constant: as soon as
 * its greatest value could reach the sign bit.
 */
export function losesRange(row: Row, words: Int32Array, number: number, operand: number): boolean {
  if (row.operation !== 'lsh') return false;
  const amount = domain.constantLo(words, operand);
  return row.width === 64
    ? domain.unsignedMax(words, number) > 2 ** (63 - amount)
    : domain.unsignedMax32(words, number) > 2 ** (31 - amount);
}
