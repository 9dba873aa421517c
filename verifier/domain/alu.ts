/**
 * The abstract meaning of each arithmetic instruction.
 *
 * A transfer covers `evaluate` of the same operation: x in γ(a) and y in γ(b) imply that the result
 * is in γ(out). The dispatch is a table of functions, made once; hot code asks for the function of
 * a row when it decodes, not by name on each step.
 *
 * 32-bit forms compute the low half only and zero-extend it. Operations whose low half depends on
 * upper bits (division, right shifts) first extend both operands, signed or not, to 64 bits, where
 * the 64-bit operation gives the 32-bit result in its low half.
 */
import type { AluOperation, Row } from '../../isa/index.ts';
import { addWhole, subtractWhole } from './arithmetic.ts';
import { andWhole, orWhole, xorWhole } from './bitwise.ts';
import {
  shrinkToBytes,
  signExtend32,
  signExtendBytes,
  signExtendBytes32,
  swapBytes,
  truncate32,
} from './cast.ts';
import { divideSignedWhole, divideWhole, remainderSignedWhole, remainderWhole } from './divide.ts';
import { multiplyWhole } from './multiply.ts';
import { refine, zeroExtendLow } from './refine.ts';
import { copy, setConstant, setUnknown } from './scalar.ts';
import { arithmeticByConstant, leftByConstant, rightByConstant, shiftByScalar } from './shift.ts';
import { SCALAR_WORDS } from './words.ts';

/** w[out] := operation(w[a], w[b]); `out` may be an operand; unary operations ignore one. */
export type Transfer = (w: Int32Array, out: number, a: number, b: number) => void;

/** Operands and result of operations that need copies. */
const X = new Int32Array(3 * SCALAR_WORDS);
const RIGHT = SCALAR_WORDS;
const RESULT = 2 * SCALAR_WORDS;

/** An empty γ here means that an operand's was: anything covers it. */
function settle(w: Int32Array, out: number): void {
  if (!refine(w, out)) setUnknown(w, out);
}

function settleLow(w: Int32Array, out: number): void {
  if (!zeroExtendLow(w, out)) setUnknown(w, out);
}

/** Low halves of the operands decide the low half of the result. */
function direct(whole: Transfer, width: 32 | 64): Transfer {
  return width === 64
    ? (w, out, a, b) => {
        whole(w, out, a, b);
        settle(w, out);
      }
    : (w, out, a, b) => {
        whole(w, out, a, b);
        settleLow(w, out);
      };
}

/** All of the operands decide; 32-bit forms extend them first. */
function extended(
  whole: Transfer,
  width: 32 | 64,
  extend: (w: Int32Array, o: number) => void,
): Transfer {
  return (w, out, a, b) => {
    copy(w, a, X, 0);
    copy(w, b, X, RIGHT);
    if (width === 32) {
      extend(X, 0);
      extend(X, RIGHT);
    }
    whole(X, RESULT, 0, RIGHT);
    copy(X, RESULT, w, out);
    settle(w, out);
    if (width === 32) truncate32(w, out);
  };
}

const left = (width: 32 | 64): Transfer => {
  return (w, out, a, b) => shiftByScalar(leftByConstant, width, w, out, a, b);
};
const right = (width: 32 | 64): Transfer => {
  return (w, out, a, b) => shiftByScalar(rightByConstant, width, w, out, a, b);
};
const arithmetic = (width: 32 | 64): Transfer => {
  return (w, out, a, b) => shiftByScalar(arithmeticByConstant, width, w, out, a, b);
};

function negateTransfer(w: Int32Array, out: number, a: number): void {
  setConstant(X, 0, 0, 0);
  copy(w, a, X, RIGHT);
  subtractWhole(X, RESULT, 0, RIGHT);
  copy(X, RESULT, w, out);
}

function moveTransfer(width: 32 | 64): Transfer {
  return (w, out, _a, b) => {
    copy(w, b, w, out);
    if (width === 32) truncate32(w, out);
  };
}

function signExtension(width: 32 | 64, sizeBytes: number): Transfer {
  return (w, out, _a, b) => {
    copy(w, b, w, out);
    if (width === 32) signExtendBytes32(w, out, sizeBytes);
    else signExtendBytes(w, out, sizeBytes);
  };
}

/** In-place operations on dst. */
function onDestination(
  change: (w: Int32Array, o: number, sizeBytes: number) => void,
  sizeBytes: number,
): Transfer {
  return (w, out, a) => {
    copy(w, a, w, out);
    change(w, out, sizeBytes);
  };
}

/** The transfer function of an operation; `sizeBytes` for movsx, le, be and bswap. */
export function transferOf(operation: AluOperation, width: 32 | 64, sizeBytes = 0): Transfer {
  switch (operation) {
    case 'add':
      return direct(addWhole, width);
    case 'sub':
      return direct(subtractWhole, width);
    case 'mul':
      return direct(multiplyWhole, width);
    case 'or':
      return direct(orWhole, width);
    case 'and':
      return direct(andWhole, width);
    case 'xor':
      return direct(xorWhole, width);
    case 'lsh':
      return direct(left(width), width);
    case 'rsh':
      return extended(right(width), width, truncate32);
    case 'arsh':
      return extended(arithmetic(width), width, signExtend32);
    case 'div':
      return extended(divideWhole, width, truncate32);
    case 'mod':
      return extended(remainderWhole, width, truncate32);
    case 'sdiv':
      return extended(divideSignedWhole, width, signExtend32);
    case 'smod':
      return extended(remainderSignedWhole, width, signExtend32);
    case 'neg':
      return direct(negateTransfer, width);
    case 'mov':
      return moveTransfer(width);
    case 'movsx':
      return signExtension(width, sizeBytes);
    case 'le':
      return onDestination(shrinkToBytes, sizeBytes);
    case 'be':
    case 'bswap':
      return onDestination(swapBytes, sizeBytes);
    default:
      return operation satisfies never;
  }
}

const BY_ROW: (Transfer | undefined)[] = [];

/** The transfer function of an `alu` row of the table. */
export function transferOfRow(row: Row): Transfer {
  return (BY_ROW[row.index] ??= transferOf(
    row.operation as AluOperation,
    row.width as 32 | 64,
    row.sizeBytes,
  ));
}

const BY_NAME = new Map<string, Transfer>();

/** w[out] := a operation b, looked up by name: for callers that are not hot. */
export function alu(
  operation: AluOperation,
  width: 32 | 64,
  w: Int32Array,
  out: number,
  a: number,
  b: number,
  sizeBytes = 0,
): void {
  const key = `${operation}${width}_${sizeBytes}`;
  let transfer = BY_NAME.get(key);
  if (!transfer) BY_NAME.set(key, (transfer = transferOf(operation, width, sizeBytes)));
  transfer(w, out, a, b);
}
