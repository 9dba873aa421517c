/**
 * One IR value as x64 instructions. Arithmetic is here; memory and calls are in select-memory.ts.
 */

import { InternalError } from '../../isa/index.ts';
import { significantBits } from '../ir/bits.ts';
import type { Value, Width } from '../ir/ir.ts';
import { type Address, atRegister, scaled, UNUSED } from './build.ts';
import { CONDITIONS, rowOf } from './instructions.ts';
import { type ConditionCode, compare, isWholeLoad } from './select-branch.ts';
import { selectAtomic, selectCall, selectLoad, selectStore } from './select-memory.ts';
import {
  addressOf,
  constant,
  isFoldable,
  isImmediate,
  isWanted,
  make,
  placeOf,
  put,
  registerOf,
  type Selection,
  sumAddress,
} from './select-state.ts';

export function selectValue(s: Selection, value: Value): void {
  switch (value.op) {
    case 'add':
      selectAdd(s, value);
      return;
    case 'sub':
    case 'and':
    case 'or':
    case 'xor':
      selectArithmetic(s, value, value.op);
      return;
    case 'mul':
      selectMultiply(s, value);
      return;
    case 'mulhi':
      put(s, MUL_HIGH, [UNUSED, registerOf(s, value)], operands(s, value.args));
      return;
    case 'div':
    case 'mod':
    case 'sdiv':
    case 'smod':
      selectDivision(s, value, value.op);
      return;
    case 'shl':
    case 'shr':
    case 'sar':
      selectShift(s, value, value.op);
      return;
    case 'rol':
      put(s, ROL[value.width], [registerOf(s, value)], operands(s, value.args), { imm: value.lo });
      return;
    case 'neg':
      put(s, NEG[value.width], [registerOf(s, value)], operands(s, value.args));
      return;
    case 'zext':
    case 'sext':
      selectExtension(s, value);
      return;
    case 'bswap':
      selectByteSwap(s, value);
      return;
    case 'select':
      selectSelect(s, value);
      return;
    case 'load':
      selectLoad(s, value);
      return;
    case 'store':
      selectStore(s, value);
      return;
    case 'atomic':
      selectAtomic(s, value);
      return;
    case 'call':
      selectCall(s, value);
      return;
    case 'const':
    case 'argument':
    case 'frame':
    case 'address':
    case 'phi':
    case 'copy':
      throw new InternalError('x64 select', `v${value.id} (${value.op}) stands in a block`);
    default:
      value.op satisfies never;
  }
}

const operands = (s: Selection, args: readonly Value[]): number[] =>
  args.map((arg) => registerOf(s, arg));

type Arithmetic = 'add' | 'sub' | 'and' | 'or' | 'xor';

const both = (row: (width: Width) => string) => ({ 32: rowOf(row(32)), 64: rowOf(row(64)) });

const REGISTER_ROWS = {
  add: both((w) => `add r${w}, r/m${w}`),
  sub: both((w) => `sub r${w}, r/m${w}`),
  and: both((w) => `and r${w}, r/m${w}`),
  or: both((w) => `or r${w}, r/m${w}`),
  xor: both((w) => `xor r${w}, r/m${w}`),
  imul: both((w) => `imul r${w}, r/m${w}`),
};
const IMMEDIATE_ROWS = {
  add: both((w) => `add r/m${w}, imm32`),
  sub: both((w) => `sub r/m${w}, imm32`),
  and: both((w) => `and r/m${w}, imm32`),
  or: both((w) => `or r/m${w}, imm32`),
  xor: both((w) => `xor r/m${w}, imm32`),
};
const NOT = both((w) => `not r/m${w}`);
const NEG = both((w) => `neg r/m${w}`);
const ROL = both((w) => `rol r/m${w}, imm8`);
const LEA = both((w) => `lea r${w}, m`);
const IMUL_IMMEDIATE = both((w) => `imul r${w}, r/m${w}, imm32`);
const MUL_HIGH = rowOf('mul r/m64');

/**
 * `lea` adds without destroying its operand: right when that lives on, and for sums of several
 * parts. Otherwise `add`, which may take an operand from memory.
 */
function selectAdd(s: Selection, value: Value): void {
  const [a, b] = value.args as [Value, Value];
  const foldsLoad = isWholeLoad(s, b, value.width, s.epochs[value.id]!);
  const isSum = value.width === 64 && (b.op === 'const' ? isCompound(a) : isCompound(b));
  const keeps = isWanted(s, a) && (b.op === 'const' ? isImmediate(b, value.width) : !foldsLoad);
  if (a.op !== 'frame' && !keeps && !isSum) {
    selectArithmetic(s, value, 'add');
    return;
  }
  const target = registerOf(s, value);
  put(s, LEA[value.width], [target], [], { memory: sumOf(s, value, a, b) });
}

/** Operations that an address can take in. */
const isCompound = (value: Value): boolean =>
  value.width === 64 &&
  (value.op === 'add' || (value.op === 'shl' && value.args[1]!.op === 'const'));

/** The sum a + b as an address, whoever else wants it. A 32-bit sum is the low half of a 64-bit one. */
function sumOf(s: Selection, value: Value, a: Value, b: Value): Address {
  if (isImmediate(b, value.width)) {
    // In 32 bits a summand is no part of a 64-bit address: its own carry would be lost.
    return value.width === 64 ? addressOf(s, a, b.lo) : atRegister(registerOf(s, a), b.lo);
  }
  return value.width === 64
    ? sumAddress(s, value, 0)
    : atRegister(registerOf(s, a), 0, registerOf(s, b));
}

function selectArithmetic(s: Selection, value: Value, op: Arithmetic): void {
  let [a, b] = value.args as [Value, Value];
  const { width } = value;
  const result = registerOf(s, value);
  if (op === 'xor' && isImmediate(b, width) && b.lo === -1) {
    put(s, NOT[width], [result], [registerOf(s, a)]);
    return;
  }
  if (isImmediate(b, width)) {
    put(s, IMMEDIATE_ROWS[op][width], [result], [registerOf(s, a)], { imm: b.lo });
    return;
  }
  const epoch = s.epochs[value.id]!;
  if (op !== 'sub' && shouldExchange(s, a, b, width, epoch)) [a, b] = [b, a];
  if (isWholeLoad(s, b, width, epoch)) {
    const memory = placeOf(s, b.args[0]!, b.disp, b.size);
    put(s, REGISTER_ROWS[op][width], [result], [registerOf(s, a)], { memory });
    return;
  }
  put(s, REGISTER_ROWS[op][width], [result], operands(s, [a, b]));
}

/** The first operand is destroyed, so it had better be one that nobody wants, and no load. */
function shouldExchange(s: Selection, a: Value, b: Value, width: Width, epoch: number): boolean {
  if (isWholeLoad(s, b, width, epoch)) return false;
  return isWholeLoad(s, a, width, epoch) || (isWanted(s, a) && !isWanted(s, b));
}

function selectMultiply(s: Selection, value: Value): void {
  const [a, b] = value.args as [Value, Value];
  const { width } = value;
  const result = registerOf(s, value);
  if (isImmediate(b, width)) {
    put(s, IMUL_IMMEDIATE[width], [result], [registerOf(s, a)], { imm: b.lo });
    return;
  }
  const exchange = isWanted(s, a) && !isWanted(s, b);
  put(s, REGISTER_ROWS.imul[width], [result], operands(s, exchange ? [b, a] : [a, b]));
}

const DIVIDE = both((w) => `div r/m${w}`);
const DIVIDE_SIGNED = both((w) => `idiv r/m${w}`);
const EXTEND_DIVIDEND = { 32: rowOf('cdq'), 64: rowOf('cqo') };

/** The divisor is not zero here, and a signed quotient is representable: earlier passes saw to it. */
function selectDivision(s: Selection, value: Value, op: 'div' | 'mod' | 'sdiv' | 'smod'): void {
  if (!value.divisor?.nonZero) throw new InternalError('x64 select', `unguarded ${op}`);
  const { width } = value;
  const result = registerOf(s, value);
  const results = op === 'div' || op === 'sdiv' ? [result, UNUSED] : [UNUSED, result];
  const [dividend, divisor] = operands(s, value.args) as [number, number];
  if (op === 'div' || op === 'mod') {
    put(s, DIVIDE[width], results, [divisor, dividend, constant(s, 0, 0)]);
    return;
  }
  const high = make(s, EXTEND_DIVIDEND[width], [dividend]);
  put(s, DIVIDE_SIGNED[width], results, [divisor, dividend, high]);
}

const SHIFT_IMMEDIATE = {
  shl: both((w) => `shl r/m${w}, imm8`),
  shr: both((w) => `shr r/m${w}, imm8`),
  sar: both((w) => `sar r/m${w}, imm8`),
};
const SHIFT_CL = {
  shl: both((w) => `shl r/m${w}, cl`),
  shr: both((w) => `shr r/m${w}, cl`),
  sar: both((w) => `sar r/m${w}, cl`),
};

function selectShift(s: Selection, value: Value, op: 'shl' | 'shr' | 'sar'): void {
  const [a, count] = value.args as [Value, Value];
  const { width } = value;
  const result = registerOf(s, value);
  if (count.op === 'const') {
    const imm = count.lo & (width - 1);
    if (op === 'shl' && width === 64 && imm <= 3 && imm > 0 && isWanted(s, a)) {
      const scale = (1 << imm) as 2 | 4 | 8;
      const memory = scaled(registerOf(s, a), scale, 0);
      put(s, LEA[64], [result], [], { memory });
      return;
    }
    put(s, SHIFT_IMMEDIATE[op][width], [result], [registerOf(s, a)], { imm });
    return;
  }
  put(s, SHIFT_CL[op][width], [result], [registerOf(s, a), registerOf(s, count)]);
}

const ZERO_EXTENSIONS = { 1: rowOf('movzx r32, r/m8'), 2: rowOf('movzx r32, r/m16') } as const;
const MOVE_32 = rowOf('mov r32, r/m32');
const SIGN_EXTENSIONS = {
  1: both((w) => `movsx r${w}, r/m8`),
  2: both((w) => `movsx r${w}, r/m16`),
  4: { 32: MOVE_32, 64: rowOf('movsxd r64, r/m32') },
} as const;

/** A load that nobody else wants is extended on the way; its low bytes come first in memory. */
function selectExtension(s: Selection, value: Value): void {
  const a = value.args[0]!;
  const result = registerOf(s, value);
  if (value.size <= a.size && isFoldable(s, a, s.epochs[value.id]!)) {
    put(s, extension(value), [result], [], { memory: placeOf(s, a.args[0]!, a.disp, a.size) });
  } else {
    put(s, extension(value), [result], [registerOf(s, a)]);
  }
}

function extension(value: Value): number {
  const size = value.size as 1 | 2 | 4;
  if (value.op === 'sext') return SIGN_EXTENSIONS[size][value.width];
  return size === 4 ? MOVE_32 : ZERO_EXTENSIONS[size];
}

const BSWAP = both((w) => `bswap r${w}`);
const ROTATE_16 = rowOf('rol r/m16, imm8');

function selectByteSwap(s: Selection, value: Value): void {
  const [a] = value.args as [Value];
  const result = registerOf(s, value);
  if (value.size !== 2) {
    put(s, BSWAP[value.size === 4 ? 32 : 64], [result], [registerOf(s, a)]);
    return;
  }
  // A 16-bit rotation leaves the bits above alone, so they must be zero before it.
  const source = registerOf(s, a);
  const low = significantBits(a) <= 16 ? source : make(s, ZERO_EXTENSIONS[2], [source]);
  put(s, ROTATE_16, [result], [low], { imm: 8 });
}

const SETS = Object.fromEntries(
  CONDITIONS.map((code) => [code, rowOf(`set${code} r/m8`)]),
) as Readonly<Record<ConditionCode, number>>;
const CONDITIONAL_MOVES = Object.fromEntries(
  CONDITIONS.map((code) => [code, rowOf(`cmov${code} r64, r/m64`)]),
) as Readonly<Record<ConditionCode, number>>;

/** Codes come in pairs that differ in the last bit. */
const opposite = (code: ConditionCode): ConditionCode => CONDITIONS[CONDITIONS.indexOf(code) ^ 1]!;

/** The operands are made before the comparison, whose flags nothing may change. */
function selectSelect(s: Selection, value: Value): void {
  const [a, b, whenTrue, whenFalse] = value.args as [Value, Value, Value, Value];
  const condition = value.condition!;
  const epoch = s.epochs[value.id]!;
  const result = registerOf(s, value);
  const isBit = isOne(whenTrue) && isZero(whenFalse);
  if (isBit || (isZero(whenTrue) && isOne(whenFalse))) {
    const code = compare(s, condition, value.width, a, b, epoch);
    const bit = make(s, SETS[isBit ? code : opposite(code)], []);
    put(s, ZERO_EXTENSIONS[1], [result], [bit]);
    return;
  }
  const taken = registerOf(s, whenTrue);
  const otherwise = registerOf(s, whenFalse);
  const code = compare(s, condition, value.width, a, b, epoch);
  put(s, CONDITIONAL_MOVES[code], [result], [otherwise, taken]);
}

const isOne = (value: Value): boolean => value.op === 'const' && value.lo === 1 && value.hi === 0;
const isZero = (value: Value): boolean => value.op === 'const' && value.lo === 0 && value.hi === 0;
