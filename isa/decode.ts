/**
 * Bytes to instructions.
 *
 * An instruction's identity may be spread over its opcode, source, offset and immediate. Decoding
 * settles it once, by matching the fields whose value a row of TABLE fixes, and then checks that
 * every field the row does not use is zero, so that a later meaning of that field can never run as
 * an earlier one. What is refused here is what Linux 6.18 refuses (check_alu_op, check_cond_jmp_op,
 * resolve_pseudo_ldimm64 and their neighbours), with one exception: `callx`, which Linux does not
 * know at all, decodes, and the verifier decides by profile. Linux skips most of these checks in
 * code that it never reaches; here they hold for every slot.
 *
 * Not decided here, because they need the whole program: jump targets, writes to r10, callees.
 */

import type { Instruction } from './program.ts';
import { type Row, rowNamed, TABLE } from './table.ts';

export const BYTES_PER_SLOT = 8;
export const REGISTER_COUNT = 11;

/** After this many errors decoding stops adding more: the rest helps nobody and could fill memory. */
export const MAX_DECODE_ERRORS = 100;

export type DecodeErrorKind =
  | 'length' // the code ends inside a slot
  | 'opcode' // no instruction has this opcode
  | 'operation' // the opcode exists; the field that selects its operation has no meaning
  | 'reserved' // a field that the instruction does not use is not zero
  | 'register' // a register above r10
  | 'constant'; // the second slot of ld_imm64 is missing or malformed

export interface DecodeError {
  readonly slot: number;
  readonly kind: DecodeErrorKind;
  /** A sentence for people, without the place. */
  readonly reason: string;
  /** What Linux prints, for searching. */
  readonly linux: string;
}

export interface Decoded {
  /** One per slot. A slot that has an error holds the nearest row, or `continuation` if none is. */
  readonly instructions: Instruction[];
  readonly errors: DecodeError[];
}

type Field = 'dst' | 'src' | 'off' | 'imm';

/** Rows by opcode byte, those that fix more fields first: a row that fixes none is the fallback. */
const CANDIDATES: readonly (readonly Row[])[] = Array.from({ length: 256 }, (_, code) =>
  TABLE.filter((row) => row.code === code && row.kind !== 'continuation').sort(
    (a, b) => fixedFields(b).length - fixedFields(a).length,
  ),
);

const CONTINUATION = rowNamed('continuation').index;
const CONSTANT_CODE = rowNamed('constant_value').code;
const GOTOL = rowNamed('gotol').index;
const CALL_REGISTER = rowNamed('call_register').index;

function fixedFields(row: Row): Field[] {
  return (['src', 'off', 'imm'] as const).filter((field) => typeof row[field] === 'number');
}

/** The only row of an opcode that needs no look at other fields, or -1. */
const SOLE = Int16Array.from(CANDIDATES, (rows) =>
  rows.length === 1 && fixedFields(rows[0]!).length === 0 ? rows[0]!.index : -1,
);

/** Bits of REQUIRES: which checks a row needs; all of them pass without a branch when masked out. */
const ZERO_DST = 1;
const ZERO_SRC = 2;
const ZERO_OFF = 4;
const ZERO_IMM = 8;
const LISTED_IMM = 16;

const REQUIRES = Uint8Array.from(
  TABLE,
  (row) =>
    (row.dst === 'unused' ? ZERO_DST : 0) |
    (row.src === 'unused' ? ZERO_SRC : 0) |
    // Linux ignores the offset of `exit`.
    (row.off === 'unused' && row.kind !== 'exit' ? ZERO_OFF : 0) |
    (row.imm === 'unused' && row.kind !== 'call' ? ZERO_IMM : 0) |
    (row.immediates ? LISTED_IMM : 0),
);

/** Decodes little-endian code. Never throws: what is wrong is in `errors`, in slot order. */
export function decode(code: Uint8Array): Decoded {
  const slots = Math.floor(code.length / BYTES_PER_SLOT);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const instructions: Instruction[] = new Array(slots);
  const errors: DecodeError[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * BYTES_PER_SLOT;
    const registers = code[at + 1]!;
    const instruction = decodeSlot(
      slot,
      code[at]!,
      registers & 0xf,
      registers >> 4,
      view.getInt16(at + 2, true),
      view.getInt32(at + 4, true),
      errors,
    );
    instructions[slot] = instruction;
    if (code[at] !== CONSTANT_CODE) continue;
    checkSecondSlot(view, slot, slots, errors);
    // A slot with opcode 0 is meant as the second half, even where something is wrong with it.
    if (slot + 1 >= slots || code[at + BYTES_PER_SLOT] !== 0) continue;
    const high = view.getInt32(at + BYTES_PER_SLOT + 4, true);
    if (instruction.op !== CONTINUATION) {
      instructions[slot] = withHigh(instruction, slot, high, errors);
    }
    slot++;
    instructions[slot] = { op: CONTINUATION, dst: 0, src: 0, off: 0, imm: 0, immHigh: 0 };
  }
  if (code.length % BYTES_PER_SLOT !== 0) {
    const rest = code.length % BYTES_PER_SLOT;
    const reason = `the code ends ${rest} bytes into an 8-byte instruction`;
    report(errors, { slot: slots, kind: 'length', reason, linux: 'bpf_prog_load: EINVAL' });
  }
  return { instructions, errors };
}

function decodeSlot(
  slot: number,
  code: number,
  dst: number,
  src: number,
  off: number,
  imm: number,
  errors: DecodeError[],
): Instruction {
  let op = SOLE[code]!;
  if (op < 0) op = identify(slot, code, src, off, imm, errors);
  if (op < 0) return { op: CONTINUATION, dst: 0, src: 0, off: 0, imm: 0, immHigh: 0 };
  const requires = REQUIRES[op]!;
  if (
    dst >= REGISTER_COUNT ||
    src >= REGISTER_COUNT ||
    (dst !== 0 && (requires & ZERO_DST) !== 0) ||
    (src !== 0 && (requires & ZERO_SRC) !== 0) ||
    (off !== 0 && (requires & ZERO_OFF) !== 0) ||
    (imm !== 0 && (requires & ZERO_IMM) !== 0) ||
    (requires & LISTED_IMM) !== 0
  ) {
    checkFields(slot, TABLE[op]!, dst, src, off, imm, errors);
  }
  if (op === GOTOL) return { op, dst, src, off: imm, imm: 0, immHigh: 0 };
  if (op === CALL_REGISTER) return decodeCallRegister(slot, op, dst, imm, errors);
  const hidden = OFF_IS_FREE[op] === 1;
  return {
    op,
    dst,
    src: SRC_IS_FIXED[op] === 1 ? 0 : src,
    off: hidden ? off : 0,
    imm: IMM_IS_FREE[op] === 1 ? imm : 0,
    immHigh: 0,
  };
}

/** Fields whose value the row fixes are part of `op`, and read as 0: one instruction, one shape. */
const SRC_IS_FIXED = Uint8Array.from(TABLE, (row) => (typeof row.src === 'number' ? 1 : 0));
const OFF_IS_FREE = Uint8Array.from(TABLE, (row) =>
  row.off === 'memory' || row.off === 'jump' || row.off === 'kfunc' ? 1 : 0,
);
const IMM_IS_FREE = Uint8Array.from(TABLE, (row) =>
  row.imm === 'unused' || typeof row.imm === 'number' ? 0 : 1,
);

/** The row that the fields select, or -1 after reporting why there is none. */
function identify(
  slot: number,
  code: number,
  src: number,
  off: number,
  imm: number,
  errors: DecodeError[],
): number {
  const rows = CANDIDATES[code]!;
  for (const row of rows) {
    if (
      (typeof row.src !== 'number' || row.src === src) &&
      (typeof row.off !== 'number' || row.off === off) &&
      (typeof row.imm !== 'number' || row.imm === imm)
    ) {
      return row.index;
    }
  }
  const hex = code.toString(16).padStart(2, '0');
  const linux = `unknown opcode ${hex}`;
  const first = rows[0];
  if (!first) {
    report(errors, { slot, kind: 'opcode', reason: `no instruction has opcode 0x${hex}`, linux });
    return -1;
  }
  const field = fixedFields(first)[0]!;
  const value = { src, off, imm }[field as 'src' | 'off' | 'imm'];
  const known = [...new Set(rows.map((row) => row[field]))].join(', ');
  report(errors, {
    slot,
    kind: 'operation',
    reason: `${FIELD_NAMES[field]} of opcode 0x${hex} is ${value}, which selects no operation (known: ${known})`,
    linux: unknownOperationMessage(rows, imm),
  });
  return -1;
}

/** Linux's words for a field that selects no operation. */
function unknownOperationMessage(rows: readonly Row[], imm: number): string {
  const first = rows[0]!;
  if (first.kind === 'constant') return 'unrecognized bpf_ld_imm64 insn';
  if (first.kind !== 'atomic') return reservedMessage(first, imm);
  // A byte or half-word has no read-modify-write, but that is what such an immediate says.
  const isKnown = TABLE.some((row) => row.kind === 'atomic' && row.imm === imm);
  if (isKnown) return 'invalid atomic operand size';
  return `BPF_ATOMIC uses invalid atomic opcode ${(imm >>> 0).toString(16).padStart(2, '0')}`;
}

const FIELD_NAMES: Record<Field, string> = {
  dst: 'the destination register',
  src: 'the source register',
  off: 'the offset',
  imm: 'the immediate',
};

/** The slow path of decodeSlot: says which field is wrong. */
function checkFields(
  slot: number,
  row: Row,
  dst: number,
  src: number,
  off: number,
  imm: number,
  errors: DecodeError[],
): void {
  const requires = REQUIRES[row.index]!;
  const fields = { dst, src, off, imm };
  const reserved = (bit: number, field: Field) => {
    if ((requires & bit) === 0 || fields[field] === 0) return false;
    const reason = `${FIELD_NAMES[field]} of '${row.name}' is reserved and must be 0, not ${fields[field]}`;
    return report(errors, { slot, kind: 'reserved', reason, linux: reservedMessage(row, imm) });
  };
  if (
    reserved(ZERO_DST, 'dst') ||
    reserved(ZERO_SRC, 'src') ||
    reserved(ZERO_OFF, 'off') ||
    reserved(ZERO_IMM, 'imm')
  ) {
    return;
  }
  if (row.immediates && !row.immediates.includes(imm)) {
    const reason = `the immediate of '${row.name}' must be one of ${row.immediates.join(', ')}, not ${imm}`;
    const linux = 'addr_space_cast insn can only convert between address space 1 and 0';
    report(errors, { slot, kind: 'operation', reason, linux });
  }
  for (const register of [dst, src]) {
    if (register < REGISTER_COUNT) continue;
    const reason = `'${row.name}' names register r${register}; the last one is r10`;
    report(errors, { slot, kind: 'register', reason, linux: `R${register} is invalid` });
    return;
  }
}

/** clang before 19 put the register of `callx` into the immediate; RFC 9669 has it in dst. */
function decodeCallRegister(
  slot: number,
  op: number,
  dst: number,
  imm: number,
  errors: DecodeError[],
): Instruction {
  const inImmediate = dst === 0 && imm > 0 && imm < REGISTER_COUNT;
  if (imm !== 0 && !inImmediate) {
    const reason = `the immediate of 'call_register' is reserved and must be 0, not ${imm}`;
    report(errors, { slot, kind: 'reserved', reason, linux: 'unknown opcode 8d' });
  }
  return { op, dst: inImmediate ? imm : dst, src: 0, off: 0, imm: 0, immHigh: 0 };
}

/** Reports a slot + 1 that cannot be the second half of a constant. */
function checkSecondSlot(view: DataView, slot: number, slots: number, errors: DecodeError[]): void {
  const linux = 'invalid bpf_ld_imm64 insn';
  if (slot + 1 >= slots) {
    const reason = 'the second slot of this 16-byte constant is missing';
    report(errors, { slot, kind: 'constant', reason, linux });
  } else if (view.getInt32((slot + 1) * BYTES_PER_SLOT, true) !== 0) {
    const reason = 'the second slot of this 16-byte constant must be zero but for its immediate';
    report(errors, { slot, kind: 'constant', reason, linux });
  }
}

function withHigh(
  { op, dst, imm }: Instruction,
  slot: number,
  high: number,
  errors: DecodeError[],
): Instruction {
  const row = TABLE[op]!;
  if (row.high === 'unused' && high !== 0) {
    const reason = `the second immediate of '${row.name}' is reserved and must be 0, not ${high}`;
    report(errors, { slot, kind: 'reserved', reason, linux: 'unrecognized bpf_ld_imm64 insn' });
  }
  return { op, dst, src: 0, off: 0, imm, immHigh: row.high === 'value' ? high : 0 };
}

function report(errors: DecodeError[], error: DecodeError): true {
  if (errors.length < MAX_DECODE_ERRORS) errors.push(error);
  return true;
}

/** Linux's words for a reserved field, by kind of instruction (kernel/bpf/verifier.c of 6.18). */
function reservedMessage(row: Row, imm: number): string {
  switch (row.kind) {
    case 'alu':
      return `${ALU_MESSAGES[row.operation] ?? 'BPF_ALU'} uses reserved fields`;
    case 'cast':
      return 'BPF_MOV uses reserved fields';
    case 'load':
      return 'BPF_LDX uses reserved fields';
    case 'store':
      return `${row.source === 'reg' ? 'BPF_STX' : 'BPF_ST'} uses reserved fields`;
    case 'atomic':
      return 'BPF_STX uses reserved fields';
    case 'jump':
      return 'BPF_JMP/JMP32 uses reserved fields';
    case 'goto':
      return 'BPF_JA uses reserved fields';
    case 'may_goto':
      return `invalid may_goto imm ${imm}`;
    case 'call':
      return row.operation === 'register' ? 'unknown opcode 8d' : 'BPF_CALL uses reserved fields';
    case 'exit':
      return 'BPF_EXIT uses reserved fields';
    case 'constant':
      return 'BPF_LD_IMM64 uses reserved fields';
    case 'packet':
      return 'BPF_LD_[ABS|IND] uses reserved fields';
    case 'continuation':
      return 'unknown opcode 00';
    default:
      return row.kind satisfies never;
  }
}

const ALU_MESSAGES: Readonly<Record<string, string>> = {
  neg: 'BPF_NEG',
  le: 'BPF_END',
  be: 'BPF_END',
  bswap: 'BPF_END',
  mov: 'BPF_MOV',
  movsx: 'BPF_MOV',
};
