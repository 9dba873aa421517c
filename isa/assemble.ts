/**
 * BPF assembly to instructions: the pseudo-C that the kernel prints and clang reads and writes.
 *
 * Two passes, because a jump may name a label further down: the first finds each line's row and
 * slot, the second fills in the fields. Names that are not labels come from outside (`helpers`) or
 * from directives (`maps`, `kfuncs`).
 */

import { type Match, match, type Operand } from './grammar.ts';
import type { Instruction, KfuncCall, LineInfo, MapReference } from './program.ts';
import { errorAt, type Line, type Place, readLines, type Source } from './source-text.ts';
import { type Row, rowNamed } from './table.ts';
import { abridge, describe, tokenize } from './tokens.ts';

export interface AssemblyNames {
  /** Helper numbers by name (`bpf_map_lookup_elem`). */
  readonly helpers?: ReadonlyMap<string, number>;
  /** Map names, in the order of Program.maps. */
  readonly maps?: readonly string[];
  /** Kernel functions that the code may call by name. */
  readonly kfuncs?: readonly string[];
}

export interface Assembly {
  readonly instructions: Instruction[];
  readonly mapReferences: MapReference[];
  readonly kfuncCalls: KfuncCall[];
  /** Slot of each label. */
  readonly labels: ReadonlyMap<string, number>;
  /** One entry per instruction: where in the text it stands. */
  readonly lines: LineInfo[];
}

/** A line whose row is known and whose fields are not. */
interface Pending {
  readonly match: Match;
  readonly slot: number;
  readonly text: string;
  readonly place: Place;
}

interface Context {
  readonly source: Source;
  readonly helpers: ReadonlyMap<string, number>;
  readonly maps: ReadonlyMap<string, number>;
  readonly kfuncs: ReadonlySet<string>;
  readonly labels: Map<string, number>;
  readonly mapReferences: MapReference[];
  readonly kfuncCalls: KfuncCall[];
}

/** Assembles instructions and labels. Throws InputError with line and column. */
export function assemble(text: string, names: AssemblyNames = {}, file = 'assembly'): Assembly {
  const source = { file, text };
  const lines = [...readLines(source)];
  for (const line of lines) {
    if (line.kind === 'directive') {
      throw errorAt(
        source,
        line.place,
        `directive '${abridge(line.name)}' is not part of a code fragment`,
      );
    }
  }
  return assembleLines(source, lines, names);
}

/** Assembles `lines`, which may hold directives that somebody else has read. */
export function assembleLines(
  source: Source,
  lines: readonly Line[],
  names: AssemblyNames,
): Assembly {
  const labels = new Map<string, number>();
  const pending: Pending[] = [];
  let slot = 0;
  for (const line of lines) {
    if (line.kind === 'label') {
      if (labels.has(line.name)) {
        throw errorAt(source, line.place, `label '${abridge(line.name)}' is defined twice`);
      }
      labels.set(line.name, slot);
    } else if (line.kind === 'instruction') {
      const found = matchLine(source, line.text, line.place);
      pending.push({ match: found, slot, text: line.text, place: line.place });
      slot += found.row.kind === 'constant' ? 2 : 1;
    }
  }
  const context: Context = {
    source,
    helpers: names.helpers ?? new Map(),
    maps: new Map(names.maps?.map((name, index) => [name, index])),
    kfuncs: new Set(names.kfuncs),
    labels,
    mapReferences: [],
    kfuncCalls: [],
  };
  const instructions: Instruction[] = [];
  for (const item of pending) {
    const instruction = resolve(context, item);
    instructions.push(instruction);
    if (item.match.row.kind === 'constant') instructions.push(CONTINUATION);
  }
  const { mapReferences, kfuncCalls } = context;
  return { instructions, mapReferences, kfuncCalls, labels, lines: lineInfo(source, pending) };
}

const CONTINUATION: Instruction = Object.freeze({
  op: rowNamed('continuation').index,
  dst: 0,
  src: 0,
  off: 0,
  imm: 0,
  immHigh: 0,
});

function matchLine(source: Source, text: string, place: Place): Match {
  const found = match(tokenize(text));
  if ('row' in found) return found;
  const expected = found.expected.join(', ');
  const at = { index: place.index + found.token.at };
  throw errorAt(source, at, `expected ${expected}; found ${describe(found.token)}`);
}

/** Lines grow only, so one pass over the text finds all positions. */
function lineInfo(source: Source, pending: readonly Pending[]): LineInfo[] {
  let line = 1;
  let lineStart = 0;
  return pending.map(({ slot, text, place }) => {
    for (;;) {
      const next = source.text.indexOf('\n', lineStart);
      if (next < 0 || next >= place.index) break;
      lineStart = next + 1;
      line++;
    }
    const column = place.index - lineStart + 1;
    return { instruction: slot, file: source.file, line, column, text };
  });
}

type Fields = { -readonly [field in keyof Instruction]: Instruction[field] };

function resolve(context: Context, item: Pending): Instruction {
  const { row, operands } = item.match;
  const fields: Fields = { op: row.index, dst: 0, src: 0, off: 0, imm: 0, immHigh: 0 };
  checkRepeated(context, item, operands);
  for (const operand of operands) assign(context, item, row, operand, fields);
  return fields;
}

/** `r1 = -r1` names one register twice: both must be the same. */
function checkRepeated(context: Context, item: Pending, operands: readonly Operand[]): void {
  const registers = new Map<string, Operand>();
  for (const operand of operands) {
    if (operand.field !== 'dst' && operand.field !== 'src') continue;
    const first = registers.get(operand.field);
    if (first && first.value !== operand.value) {
      const both = `'${first.token.text}' and '${operand.token.text}'`;
      throw fail(context, item, operand, `expected the same register twice; found ${both}`);
    }
    registers.set(operand.field, operand);
  }
}

function fail(context: Context, item: Pending, operand: Operand, reason: string): Error {
  return errorAt(context.source, { index: item.place.index + operand.token.at }, reason);
}

function assign(context: Context, item: Pending, row: Row, operand: Operand, fields: Fields): void {
  const number = (min: bigint, max: bigint): number =>
    Number(inRange(context, item, operand, min, max));
  switch (operand.field) {
    case 'dst':
      fields.dst = Number(operand.value);
      return;
    case 'src':
      fields.src = Number(operand.value);
      return;
    case 'off':
    case 'module':
      fields.off = number(-0x8000n, 0x7fffn);
      return;
    case 'imm':
      fields.imm = number(-0x8000_0000n, highestImmediate(row)) | 0;
      return;
    case 'imm64': {
      const value = inRange(context, item, operand, -(1n << 63n), (1n << 64n) - 1n);
      fields.imm = Number(BigInt.asIntN(32, value));
      fields.immHigh = Number(BigInt.asIntN(32, value >> 32n));
      return;
    }
    case 'high':
      fields.immHigh = number(-0x8000_0000n, 0xffff_ffffn) | 0;
      recordOffset(context, item, fields.immHigh);
      return;
    case 'space':
      fields.imm |= number(0n, 0xffffn) << 16;
      return;
    case 'from':
      fields.imm |= number(0n, 0xffffn);
      return;
    case 'jump':
      fields.off = jumpDistance(context, item, row, operand);
      return;
    case 'callee':
      resolveCallee(context, item, operand, fields);
      return;
    case 'map':
    case 'symbol':
      resolveSymbol(context, item, operand, fields);
      return;
    case 'll':
      return;
    default:
      operand.field satisfies never;
  }
}

/**
 * A 64-bit operation sign-extends its immediate, so 0xffffffff there would not mean what it says; at
 * 32 bits and below both spellings are the same bits.
 */
function highestImmediate(row: Row): bigint {
  const isExtended = row.width === 64 || (row.kind === 'store' && row.sizeBytes === 8);
  return isExtended && row.kind !== 'constant' ? 0x7fff_ffffn : 0xffff_ffffn;
}

function inRange(
  context: Context,
  item: Pending,
  operand: Operand,
  min: bigint,
  max: bigint,
): bigint {
  const value = operand.value as bigint;
  if (value >= min && value <= max) return value;
  throw fail(context, item, operand, `expected a number from ${min} to ${max}; found ${value}`);
}

function jumpDistance(context: Context, item: Pending, row: Row, operand: Operand): number {
  const bits = row.imm === 'jump' ? 31n : 15n;
  if (typeof operand.value === 'bigint') {
    return Number(inRange(context, item, operand, -(1n << bits), (1n << bits) - 1n));
  }
  const target = context.labels.get(operand.value);
  if (target === undefined) {
    throw fail(context, item, operand, `no label is called '${abridge(operand.value)}'`);
  }
  const distance = BigInt(target - item.slot - 1);
  return Number(
    inRange(context, item, { ...operand, value: distance }, -(1n << bits), (1n << bits) - 1n),
  );
}

const CALL_SUBPROGRAM = rowNamed('call_subprogram').index;
const CALL_KFUNC = rowNamed('call_kfunc').index;
const CONSTANT_FUNCTION = rowNamed('constant_function').index;

/** A number, or a name: a label of this program, a declared kfunc, a helper, in this order. */
function resolveCallee(context: Context, item: Pending, operand: Operand, fields: Fields): void {
  const { value } = operand;
  if (typeof value === 'bigint') {
    fields.imm = Number(inRange(context, item, operand, -0x8000_0000n, 0x7fff_ffffn));
    return;
  }
  const label = context.labels.get(value);
  if (label !== undefined) {
    fields.imm = label - item.slot - 1;
    if (fields.op !== CONSTANT_FUNCTION) fields.op = CALL_SUBPROGRAM;
    return;
  }
  if (fields.op === CONSTANT_FUNCTION) {
    throw fail(context, item, operand, `no label is called '${abridge(value)}'`);
  }
  if (context.kfuncs.has(value)) {
    context.kfuncCalls.push({ instruction: item.slot, name: value });
    fields.op = CALL_KFUNC;
    return;
  }
  const helper = context.helpers.get(value);
  if (helper === undefined) {
    throw fail(context, item, operand, `no label, kfunc or helper is called '${abridge(value)}'`);
  }
  fields.imm = helper;
}

function resolveSymbol(context: Context, item: Pending, operand: Operand, fields: Fields): void {
  const name = operand.value as string;
  const map = context.maps.get(name);
  if (map !== undefined) {
    fields.imm = map;
    context.mapReferences.push({ instruction: item.slot, map });
    return;
  }
  const label = operand.field === 'symbol' ? context.labels.get(name) : undefined;
  if (label === undefined) {
    const what = operand.field === 'symbol' ? 'map or label' : 'map';
    throw fail(context, item, operand, `no ${what} is called '${abridge(name)}'`);
  }
  fields.op = CONSTANT_FUNCTION;
  fields.imm = label - item.slot - 1;
}

/** `map[name][0] + 8`: the offset comes after the name, whose reference it completes. */
function recordOffset(context: Context, item: Pending, high: number): void {
  const last = context.mapReferences.at(-1);
  if (last?.instruction !== item.slot) return;
  context.mapReferences[context.mapReferences.length - 1] = { ...last, valueOffset: high >>> 0 };
}
