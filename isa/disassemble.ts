/**
 * Instructions to BPF assembly, filled into the rows' own texts. What it prints, `assemble` reads
 * back to the same instructions; numbers are hexadecimal as in llvm-objdump.
 */

import { constantValue, targetOf } from './derived.ts';
import type { Instruction, Program } from './program.ts';
import { type Row, TABLE } from './table.ts';

/** Names to print instead of numbers, each optional, each by slot or number. */
export interface DisassemblyNames {
  helper?(id: number): string | undefined;
  kfunc?(slot: number): string | undefined;
  map?(slot: number): { readonly name: string; readonly valueOffset?: number } | undefined;
  /** Name of the label at a slot, for jumps and calls to it. */
  label?(slot: number): string | undefined;
}

/** The instruction at slot `pc` as text; '' for the second slot of a constant. */
export function formatInstruction(
  instruction: Instruction,
  names: DisassemblyNames = {},
  pc = 0,
): string {
  const row = TABLE[instruction.op]!;
  const symbolic = formatSymbolic(row, instruction, names, pc);
  if (symbolic !== undefined) return symbolic;
  const { text, dst, src } = PLANS[instruction.op]!;
  const module = row.off === 'kfunc' && instruction.off !== 0;
  const full = module ? `${text} module ${signedHex(instruction.off)}` : text;
  return full.replace(/\$[a-z0-9]+/g, (placeholder) => {
    switch (placeholder) {
      case '$base':
        return `r${row.kind === 'load' || row.operation === 'load_acquire' ? instruction.src : instruction.dst}`;
      case '$dst':
        return `${dst}${instruction.dst}`;
      case '$src':
        return `${src}${instruction.src}`;
      case '$jump':
        return (
          names.label?.(targetOf(instruction, pc) ?? -1) ?? withPlus(signedHex(instruction.off))
        );
      default:
        return formatNumber(row, instruction, placeholder);
    }
  });
}

/** Forms that a name makes possible. */
function formatSymbolic(
  row: Row,
  instruction: Instruction,
  names: DisassemblyNames,
  pc: number,
): string | undefined {
  switch (row.name) {
    case 'call_helper': {
      const name = names.helper?.(instruction.imm);
      return name && `call ${name}`;
    }
    case 'call_kfunc': {
      const name = names.kfunc?.(pc);
      return name && `call ${name}`;
    }
    case 'call_subprogram': {
      const name = names.label?.(pc + 1 + instruction.imm);
      return name && `call ${name}`;
    }
    case 'constant_function': {
      const name = names.label?.(pc + 1 + instruction.imm);
      return name && `r${instruction.dst} = func[${name}]`;
    }
    case 'constant_map':
    case 'constant_map_value': {
      const map = names.map?.(pc);
      if (!map) return undefined;
      const offset = map.valueOffset === undefined ? '' : `[0] + ${hex(map.valueOffset)}`;
      return `r${instruction.dst} = map[${map.name}]${offset} ll`;
    }
    default:
      return undefined;
  }
}

function formatNumber(row: Row, instruction: Instruction, placeholder: string): string {
  switch (placeholder) {
    case '$imm':
      return signedHex(instruction.imm);
    case '$imm64':
      return signedHex(BigInt.asIntN(64, constantValue(instruction)));
    case '$high':
      return row.operation === 'kernel_symbol'
        ? signedHex(instruction.immHigh)
        : hex(instruction.immHigh >>> 0);
    case '$callee':
      return row.name === 'call_subprogram' || row.kind === 'constant'
        ? withPlus(signedHex(instruction.imm))
        : signedHex(instruction.imm);
    case '$off':
      return `${instruction.off < 0 ? '-' : '+'} ${hex(Math.abs(instruction.off))}`;
    case '$space':
      return hex(instruction.imm >>> 16);
    case '$from':
      return hex(instruction.imm & 0xffff);
    default:
      return placeholder;
  }
}

/** A row's text with its address register told apart from its value registers, and their letters. */
interface Plan {
  readonly text: string;
  readonly dst: 'r' | 'w';
  readonly src: 'r' | 'w';
}

const PLANS: readonly Plan[] = TABLE.map((row) => {
  const letter = row.width === 32 || isNarrow(row) ? 'w' : 'r';
  return { text: row.text.replace(/\$(?:dst|src) \$off/, '$base $off'), dst: letter, src: letter };
});

/** Moves of fewer than 64 bits between memory and a register are written with w registers. */
function isNarrow(row: Row): boolean {
  switch (row.kind) {
    case 'load':
      return !row.signed && row.sizeBytes < 8;
    case 'store':
    case 'atomic':
      return row.sizeBytes < 8;
    default:
      return false;
  }
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

function signedHex(value: number | bigint): string {
  return value < 0 ? `-${hex(-value)}` : hex(value);
}

const withPlus = (text: string): string => (text.startsWith('-') ? text : `+${text}`);

/** One instruction of a listing. */
export interface DisassembledLine {
  readonly slot: number;
  /** Names that begin here: subprograms and jump targets. */
  readonly labels: readonly string[];
  readonly text: string;
}

/** A listing of `instructions`; second slots of constants have no line. */
export function disassemble(
  instructions: readonly Instruction[],
  names: DisassemblyNames = {},
): DisassembledLine[] {
  return instructions.flatMap((instruction, slot) => {
    if (TABLE[instruction.op]!.kind === 'continuation') return [];
    const label = names.label?.(slot);
    const labels = label === undefined ? [] : [label];
    return [{ slot, labels, text: formatInstruction(instruction, names, slot) }];
  });
}

/**
 * Names for a whole program: its maps and functions by their own names, other jump targets as L1,
 * L2, ... in order. `helpers` gives the names of helper numbers.
 */
export function programNames(
  program: Pick<Program, 'maps' | 'mapReferences' | 'kfuncCalls' | 'functions'>,
  instructions: readonly Instruction[],
  helper?: (id: number) => string | undefined,
): DisassemblyNames {
  const labels = labelsOf(program, instructions);
  const maps = new Map(
    program.mapReferences.map((reference) => [reference.instruction, reference]),
  );
  const kfuncs = new Map(program.kfuncCalls.map((call) => [call.instruction, call.name]));
  return {
    ...(helper && { helper }),
    kfunc: (slot) => kfuncs.get(slot),
    label: (slot) => labels.get(slot),
    map: (slot) => {
      const reference = maps.get(slot);
      const name = reference && program.maps[reference.map]?.name;
      if (!name) return undefined;
      const { valueOffset } = reference;
      return valueOffset === undefined ? { name } : { name, valueOffset };
    },
  };
}

function labelsOf(
  program: Pick<Program, 'functions'>,
  instructions: readonly Instruction[],
): Map<number, string> {
  const targets = new Set<number>();
  instructions.forEach((instruction, pc) => {
    const target = targetOf(instruction, pc);
    if (target !== undefined && target >= 0 && target < instructions.length) targets.add(target);
  });
  const labels = new Map(program.functions.map(({ instruction, name }) => [instruction, name]));
  let count = 0;
  for (const target of [...targets].sort((a, b) => a - b)) {
    if (!labels.has(target)) labels.set(target, `L${++count}`);
  }
  return labels;
}
