/** Instructions as text, in Intel syntax, from the same rows that encode them. */

import type { MachInst, Move, Placement } from '../mach/types.ts';
import { isSlot, REMATERIALISE } from '../mach/types.ts';
import { isIdleCopy, slotOffset } from './emit.ts';
import { type Fields, NO_REGISTER } from './encode.ts';
import { ROWS, rowOf, type Spec, type X64Row } from './instructions.ts';
import { type RegisterWidth, RSP, registerName } from './registers.ts';

const SIZE_NAMES: Readonly<Record<RegisterWidth, string>> = {
  8: 'byte',
  16: 'word',
  32: 'dword',
  64: 'qword',
  128: 'xmmword',
};

/** Parts of a memory operand; a place that only the assembler knows goes by its name. */
export interface AddressText {
  readonly base: string;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
}

export function printHex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function printAddress({ base, index, scale, displacement }: AddressText): string {
  const terms = base === '' ? [] : [base];
  if (index !== NO_REGISTER) {
    const name = registerName(index, 64);
    terms.push(scale === 1 ? name : `${name}*${scale}`);
  }
  if (terms.length === 0) return `[${printHex(displacement)}]`;
  const sign = displacement < 0 ? '-' : '+';
  const rest = displacement === 0 ? '' : `${sign}0x${Math.abs(displacement).toString(16)}`;
  return `[${terms.join('+')}${rest}]`;
}

/** The text of a row with registers, an address and an immediate in place. */
export function printFields(
  row: X64Row,
  fields: Pick<Fields, 'reg' | 'rm'>,
  address: AddressText | undefined,
  imm: string,
  label: string,
): string {
  const size = row.mnemonic === 'lea' ? '' : undefined;
  const operand = (spec: Spec): string => {
    switch (spec.kind) {
      case 'imm':
        return imm;
      case 'cl':
        return 'cl';
      case 'rel':
        return label;
      case 'reg':
        return registerName(fields.reg, spec.width);
      case 'plus':
        return registerName(fields.rm, spec.width);
      case 'rm':
        return address === undefined
          ? registerName(fields.rm, spec.width)
          : `${size ?? `${SIZE_NAMES[spec.width]} ptr `}${printAddress(address)}`;
    }
  };
  const operands = row.specs.map(operand).join(', ');
  return operands === '' ? row.mnemonic : `${row.mnemonic} ${operands}`;
}

const RETURN = rowOf('ret');
const ENTRY = rowOf('entry');
const MOV_64 = rowOf('mov r64, imm64');

export function print(
  inst: MachInst,
  registers: Int8Array,
  first: number,
  placement: Placement,
  label: string,
): string {
  const row = ROWS[inst.op]!;
  if (inst.op === RETURN || inst.op === ENTRY || isIdleCopy(inst, registers, first)) return '';
  const { memory } = inst;
  let k = first;
  let reg = 0;
  let rm = 0;
  let address: AddressText | undefined;
  for (const spec of row.specs) {
    if (spec.kind === 'imm' || spec.kind === 'cl' || spec.kind === 'rel') continue;
    if (spec.kind === 'rm' && memory !== null) {
      const base = memory.base === 'register' ? registers[k++]! : NO_REGISTER;
      const index = memory.scale !== 0 ? registers[k++]! : NO_REGISTER;
      address = addressText(inst, base, index, placement);
      continue;
    }
    if (spec.kind === 'reg') reg = registers[k]!;
    else rm = registers[k]!;
    k += spec.access === 'u' ? 2 : 1;
  }
  return printFields(row, { reg, rm }, address, immediateText(inst), label);
}

function addressText(
  inst: MachInst,
  base: number,
  index: number,
  placement: Placement,
): AddressText {
  const { base: kind, area, scale, displacement } = inst.memory!;
  switch (kind) {
    case 'register':
      return { base: registerName(base, 64), index, scale, displacement };
    case 'absolute':
      return { base: '', index, scale, displacement };
    case 'frame': {
      const offset = placement.frame.areaOffsets[area]! + displacement;
      return { base: registerName(RSP, 64), index, scale, displacement: offset };
    }
    case 'function':
      return { base: `function ${area}`, index, scale, displacement };
    case 'pool': {
      const entry = placement.pool[area]!;
      const name = entry.kind === 'address' ? relocationText(entry.target) : `constant ${area}`;
      return { base: name, index, scale, displacement };
    }
  }
}

function immediateText({ op, imm, immHigh, relocation }: MachInst): string {
  if (relocation !== null) return relocationText(relocation);
  if (op !== MOV_64 || immHigh === 0) return printHex(op === MOV_64 ? imm >>> 0 : imm);
  const low = (imm >>> 0).toString(16).padStart(8, '0');
  return `0x${(immHigh >>> 0).toString(16)}${low}`;
}

type RelocationTarget = NonNullable<MachInst['relocation']>;

export function relocationText(target: RelocationTarget): string {
  switch (target.kind) {
    case 'helper':
      return `helper ${target.helper}`;
    case 'kfunc':
      return target.name;
    case 'map':
      return `map ${target.map}`;
    case 'map-value':
      return `map ${target.map} value+${target.valueOffset}`;
    case 'runtime':
      return target.symbol;
  }
}

export function printMove(move: Move, recipe: MachInst | undefined, placement: Placement): string {
  const place = (location: number): string =>
    isSlot(location)
      ? `qword ptr ${printAddress({
          base: 'rsp',
          index: NO_REGISTER,
          scale: 0,
          displacement: slotOffset(location, placement),
        })}`
      : registerName(location, 64);
  if (move.from >= REMATERIALISE && recipe !== undefined) {
    if (!isSlot(move.to)) return print(recipe, Int8Array.of(move.to), 0, placement, '');
    return `mov ${place(move.to)}, ${recipe.memory === null ? immediateText(recipe) : 'address'}`;
  }
  if (isSlot(move.from) && isSlot(move.to)) {
    const swap = move.kind === 'swap' ? ' (and back)' : '';
    return `push ${place(move.from)}; pop ${place(move.to)}${swap}`;
  }
  if (move.kind === 'move') return `mov ${place(move.to)}, ${place(move.from)}`;
  const [first, second] = isSlot(move.to) ? [move.to, move.from] : [move.from, move.to];
  return `xchg ${place(first)}, ${place(second)}`;
}
