/**
 * The instruction table: what eBPF is, said once.
 *
 * One row is one instruction as a reader of the disassembly would name it. The wire format spreads
 * some identities over several fields (a `div` with offset 1 is a signed division, an atomic's
 * operation sits in its immediate, the source register of `ld_imm64` says what the constant means);
 * a row states the fixed value of such a field, decoding picks the row, and from then on nobody
 * looks at the field again. Decoder, reserved-field checks, assembler, disassembler, read and write
 * sets, -mcpu levels and test enumeration are all derived from these rows.
 *
 * Sources: RFC 9669 sections 4 and 5; for `may_goto`, load-acquire, store-release and
 * `addr_space_cast`: uapi/linux/bpf.h and Documentation/bpf/standardization of Linux 6.18.
 */

export type Kind =
  | 'alu' // dst = dst operation source
  | 'cast' // dst = address-space cast of src
  | 'load' // dst = *(src + off)
  | 'store' // *(dst + off) = source
  | 'atomic' // read-modify-write, load-acquire, store-release
  | 'jump' // conditional, by comparing dst with source
  | 'goto' // unconditional
  | 'may_goto' // jumps when the program's iteration budget is used up
  | 'call'
  | 'exit'
  | 'constant' // ld_imm64, two slots
  | 'packet' // legacy ld_abs, ld_ind
  | 'continuation'; // the second slot of a constant; never executed

export type AluOperation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'sdiv'
  | 'mod'
  | 'smod'
  | 'or'
  | 'and'
  | 'xor'
  | 'lsh'
  | 'rsh'
  | 'arsh'
  | 'neg'
  | 'mov'
  | 'movsx'
  | 'le'
  | 'be'
  | 'bswap';
export type JumpCondition =
  | 'eq'
  | 'ne'
  | 'set'
  | 'gt'
  | 'ge'
  | 'lt'
  | 'le'
  | 'sgt'
  | 'sge'
  | 'slt'
  | 'sle';
export type AtomicOperation =
  | 'add'
  | 'or'
  | 'and'
  | 'xor'
  | 'fetch_add'
  | 'fetch_or'
  | 'fetch_and'
  | 'fetch_xor'
  | 'xchg'
  | 'cmpxchg'
  | 'load_acquire'
  | 'store_release';
export type ConstantPseudo =
  | 'value'
  | 'map'
  | 'map_value'
  | 'kernel_symbol'
  | 'function'
  | 'map_index'
  | 'map_index_value';
export type CallTarget = 'helper' | 'subprogram' | 'kfunc' | 'register';

/** How an instruction uses a register field. A number is the field's fixed (identifying) value. */
export type RegisterRole = 'unused' | 'read' | 'write' | 'update' | number;
/** How an instruction uses its 16-bit offset field. */
export type OffsetRole = 'unused' | 'memory' | 'jump' | 'kfunc' | number;
/** How an instruction uses its 32-bit immediate field. */
export type ImmediateRole = 'unused' | 'value' | 'jump' | 'callee' | 'low' | number;

export interface Row {
  /** Index in TABLE; `Instruction.op`. */
  readonly index: number;
  /** Unique name, e.g. `add64_reg`, `load_s16`, `jsgt32_imm`, `atomic_fetch_add64`. */
  readonly name: string;
  /** The opcode byte. */
  readonly code: number;
  readonly kind: Kind;
  /** Operation within the kind: AluOperation, JumpCondition, AtomicOperation, ... */
  readonly operation: string;
  /** Operand width in bits for alu and jump; 0 where it has no meaning. */
  readonly width: 0 | 32 | 64;
  /** Bytes accessed in memory, or swapped, or sign-extended from; 0 where it has no meaning. */
  readonly sizeBytes: 0 | 1 | 2 | 4 | 8;
  /** Second operand: the src register or the immediate. */
  readonly source: 'reg' | 'imm' | 'none';
  /** Whether a load sign-extends. */
  readonly signed: boolean;
  readonly dst: RegisterRole;
  readonly src: RegisterRole;
  readonly off: OffsetRole;
  readonly imm: ImmediateRole;
  /** How the immediate of a constant's second slot is used; 'unused' elsewhere. */
  readonly high: 'unused' | 'value' | 'ignored';
  /** The only immediates that are valid, where `imm` is 'value' but not every value is. */
  readonly immediates?: readonly number[] | undefined;
  /** Lowest clang -mcpu level whose instruction set has it. */
  readonly version: 1 | 2 | 3 | 4;
  /**
   * Text in the kernel's and clang's pseudo-C. `$dst`, `$src` print as r0..r10 (or w0..w10 for
   * 32-bit rows), `$imm`, `$imm64` (both halves), `$high` (the second), `$off` (signed displacement,
   * `+ 8`), `$jump` (signed, in slots), `$callee`, `$space` and `$from` (the halves of a cast).
   */
  readonly text: string;
}

type Fields = Omit<Row, 'index'>;

const NOTHING = {
  operation: '',
  width: 0,
  sizeBytes: 0,
  source: 'none',
  signed: false,
  dst: 'unused',
  src: 'unused',
  off: 'unused',
  imm: 'unused',
  high: 'unused',
  version: 1,
} as const satisfies Partial<Fields>;

const SOURCES = ['imm', 'reg'] as const;
const WIDTHS = [64, 32] as const;
/** Bit 3 of an ALU or JMP opcode selects the register operand. */
const SOURCE_BIT = { imm: 0x00, reg: 0x08 } as const;
const ALU_CLASS = { 64: 0x07, 32: 0x04 } as const;
const JUMP_CLASS = { 64: 0x05, 32: 0x06 } as const;
/** Bits 3 and 4 of a load or store opcode. */
const SIZE_BITS = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 } as const;

const operandRoles = (source: 'imm' | 'reg') =>
  source === 'reg'
    ? ({ source, src: 'read', imm: 'unused' } as const)
    : ({ source, src: 'unused', imm: 'value' } as const);

/** Two-operand arithmetic: operation, high nibble, fixed offset, operator, version. */
const ARITHMETIC: readonly [AluOperation, number, number, string, 1 | 4][] = [
  ['add', 0x00, 0, '+=', 1],
  ['sub', 0x10, 0, '-=', 1],
  ['mul', 0x20, 0, '*=', 1],
  ['div', 0x30, 0, '/=', 1],
  ['sdiv', 0x30, 1, 's/=', 4],
  ['or', 0x40, 0, '|=', 1],
  ['and', 0x50, 0, '&=', 1],
  ['lsh', 0x60, 0, '<<=', 1],
  ['rsh', 0x70, 0, '>>=', 1],
  ['mod', 0x90, 0, '%=', 1],
  ['smod', 0x90, 1, 's%=', 4],
  ['xor', 0xa0, 0, '^=', 1],
  ['arsh', 0xc0, 0, 's>>=', 1],
];

function arithmeticRows(): Fields[] {
  return ARITHMETIC.flatMap(([operation, nibble, offset, operator, version]) =>
    WIDTHS.flatMap((width) =>
      SOURCES.map((source) => ({
        ...NOTHING,
        ...operandRoles(source),
        name: `${operation}${width}_${source}`,
        code: nibble | SOURCE_BIT[source] | ALU_CLASS[width],
        kind: 'alu' as const,
        operation,
        width,
        version,
        dst: 'update' as const,
        off: offset === 0 ? ('unused' as const) : offset,
        text: `$dst ${operator} ${source === 'reg' ? '$src' : '$imm'}`,
      })),
    ),
  );
}

function moveRows(): Fields[] {
  const moves = WIDTHS.flatMap((width) =>
    SOURCES.map((source) => ({
      ...NOTHING,
      ...operandRoles(source),
      name: `mov${width}_${source}`,
      code: 0xb0 | SOURCE_BIT[source] | ALU_CLASS[width],
      kind: 'alu' as const,
      operation: 'mov',
      width,
      dst: 'write' as const,
      text: `$dst = ${source === 'reg' ? '$src' : '$imm'}`,
    })),
  );
  const extensions = (
    [
      [64, 1],
      [64, 2],
      [64, 4],
      [32, 1],
      [32, 2],
    ] as const
  ).map(([width, sizeBytes]) => ({
    ...NOTHING,
    ...operandRoles('reg'),
    name: `movsx${width}_${sizeBytes * 8}`,
    code: 0xb8 | ALU_CLASS[width],
    kind: 'alu' as const,
    operation: 'movsx',
    width,
    sizeBytes,
    version: 4 as const,
    dst: 'write' as const,
    off: sizeBytes * 8,
    text: `$dst = (s${sizeBytes * 8})$src`,
  }));
  const negations = WIDTHS.map((width) => ({
    ...NOTHING,
    name: `neg${width}`,
    code: 0x80 | ALU_CLASS[width],
    kind: 'alu' as const,
    operation: 'neg',
    width,
    dst: 'update' as const,
    text: '$dst = -$dst',
  }));
  const casts = {
    ...NOTHING,
    name: 'addr_space_cast',
    code: 0xbf,
    kind: 'cast' as const,
    operation: 'addr_space_cast',
    width: 64 as const,
    source: 'reg' as const,
    version: 4 as const,
    dst: 'write' as const,
    src: 'read' as const,
    off: 1,
    imm: 'value' as const,
    // Destination and source space in the two halves: kernel to arena, arena to kernel.
    immediates: [1, 0x10000],
    text: '$dst = addr_space_cast($src, $space, $from)',
  };
  return [...moves, ...extensions, ...negations, casts];
}

/** Byte order: `le` and `be` convert from host order (little-endian here), `bswap` always swaps. */
function byteOrderRows(): Fields[] {
  return (
    [
      ['le', 0xd4, 1],
      ['be', 0xdc, 1],
      ['bswap', 0xd7, 4],
    ] as const
  ).flatMap(([operation, code, version]) =>
    ([2, 4, 8] as const).map((sizeBytes) => ({
      ...NOTHING,
      name: `${operation}${sizeBytes * 8}`,
      code,
      kind: 'alu' as const,
      operation,
      width: 64 as const,
      sizeBytes,
      version,
      dst: 'update' as const,
      imm: sizeBytes * 8,
      text: `$dst = ${operation}${sizeBytes * 8} $dst`,
    })),
  );
}

/** Conditional jumps: condition, high nibble, operator, version. */
const CONDITIONS: readonly [JumpCondition, number, string, 1 | 2][] = [
  ['eq', 0x10, '==', 1],
  ['gt', 0x20, '>', 1],
  ['ge', 0x30, '>=', 1],
  ['set', 0x40, '&', 1],
  ['ne', 0x50, '!=', 1],
  ['sgt', 0x60, 's>', 1],
  ['sge', 0x70, 's>=', 1],
  ['lt', 0xa0, '<', 2],
  ['le', 0xb0, '<=', 2],
  ['slt', 0xc0, 's<', 2],
  ['sle', 0xd0, 's<=', 2],
];

function jumpRows(): Fields[] {
  return CONDITIONS.flatMap(([operation, nibble, operator, version]) =>
    WIDTHS.flatMap((width) =>
      SOURCES.map((source) => ({
        ...NOTHING,
        ...operandRoles(source),
        name: `j${operation}${width}_${source}`,
        code: nibble | SOURCE_BIT[source] | JUMP_CLASS[width],
        kind: 'jump' as const,
        operation,
        width,
        version: width === 32 ? (3 as const) : version,
        dst: 'read' as const,
        off: 'jump' as const,
        text: `if $dst ${operator} ${source === 'reg' ? '$src' : '$imm'} goto $jump`,
      })),
    ),
  );
}

function controlRows(): Fields[] {
  return [
    { ...NOTHING, name: 'goto', code: 0x05, kind: 'goto', off: 'jump', text: 'goto $jump' },
    {
      ...NOTHING,
      name: 'gotol',
      code: 0x06,
      kind: 'goto',
      imm: 'jump',
      version: 4,
      text: 'gotol $jump',
    },
    {
      ...NOTHING,
      name: 'may_goto',
      code: 0xe5,
      kind: 'may_goto',
      off: 'jump',
      version: 4,
      text: 'may_goto $jump',
    },
    {
      ...NOTHING,
      name: 'call_helper',
      code: 0x85,
      kind: 'call',
      operation: 'helper',
      src: 0,
      imm: 'callee',
      text: 'call $callee',
    },
    {
      ...NOTHING,
      name: 'call_subprogram',
      code: 0x85,
      kind: 'call',
      operation: 'subprogram',
      src: 1,
      imm: 'callee',
      text: 'call pc$callee',
    },
    {
      ...NOTHING,
      name: 'call_kfunc',
      code: 0x85,
      kind: 'call',
      operation: 'kfunc',
      src: 2,
      off: 'kfunc',
      imm: 'callee',
      text: 'call kernel-function $callee',
    },
    {
      ...NOTHING,
      name: 'call_register',
      code: 0x8d,
      kind: 'call',
      operation: 'register',
      dst: 'read',
      text: 'callx $dst',
    },
    { ...NOTHING, name: 'exit', code: 0x95, kind: 'exit', text: 'exit' },
  ];
}

const WORD = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' } as const;
const SIGNED_WORD = { 1: 's8', 2: 's16', 4: 's32' } as const;
const SIZES = [8, 4, 2, 1] as const;

function memoryRows(): Fields[] {
  const loads = SIZES.map((sizeBytes) => ({
    ...NOTHING,
    name: `load_${WORD[sizeBytes]}`,
    code: 0x61 | SIZE_BITS[sizeBytes],
    kind: 'load' as const,
    operation: 'load',
    sizeBytes,
    source: 'reg' as const,
    dst: 'write' as const,
    src: 'read' as const,
    off: 'memory' as const,
    text: `$dst = *(${WORD[sizeBytes]} *)($src $off)`,
  }));
  const signedLoads = ([4, 2, 1] as const).map((sizeBytes) => ({
    ...NOTHING,
    name: `load_${SIGNED_WORD[sizeBytes]}`,
    code: 0x81 | SIZE_BITS[sizeBytes],
    kind: 'load' as const,
    operation: 'load',
    sizeBytes,
    source: 'reg' as const,
    signed: true,
    version: 4 as const,
    dst: 'write' as const,
    src: 'read' as const,
    off: 'memory' as const,
    text: `$dst = *(${SIGNED_WORD[sizeBytes]} *)($src $off)`,
  }));
  const stores = SIZES.flatMap((sizeBytes) =>
    SOURCES.map((source) => ({
      ...NOTHING,
      ...operandRoles(source),
      name: `store_${WORD[sizeBytes]}_${source}`,
      code: (source === 'reg' ? 0x63 : 0x62) | SIZE_BITS[sizeBytes],
      kind: 'store' as const,
      operation: 'store',
      sizeBytes,
      dst: 'read' as const,
      off: 'memory' as const,
      text: `*(${WORD[sizeBytes]} *)($dst $off) = ${source === 'reg' ? '$src' : '$imm'}`,
    })),
  );
  return [...loads, ...signedLoads, ...stores];
}

/** Atomic read-modify-write: operation, immediate, version, how src is used, text. */
const ATOMICS: readonly [AtomicOperation, number, 1 | 3, RegisterRole, string][] = [
  ['add', 0x00, 1, 'read', 'lock *($type *)($dst $off) += $src'],
  ['or', 0x40, 3, 'read', 'lock *($type *)($dst $off) |= $src'],
  ['and', 0x50, 3, 'read', 'lock *($type *)($dst $off) &= $src'],
  ['xor', 0xa0, 3, 'read', 'lock *($type *)($dst $off) ^= $src'],
  ['fetch_add', 0x01, 3, 'update', '$src = atomic_fetch_add(($type *)($dst $off), $src)'],
  ['fetch_or', 0x41, 3, 'update', '$src = atomic_fetch_or(($type *)($dst $off), $src)'],
  ['fetch_and', 0x51, 3, 'update', '$src = atomic_fetch_and(($type *)($dst $off), $src)'],
  ['fetch_xor', 0xa1, 3, 'update', '$src = atomic_fetch_xor(($type *)($dst $off), $src)'],
  ['xchg', 0xe1, 3, 'update', '$src = xchg$bits($dst $off, $src)'],
  ['cmpxchg', 0xf1, 3, 'read', '$r0 = cmpxchg$bits($dst $off, $r0, $src)'],
];

function atomicRows(): Fields[] {
  const modify = ATOMICS.flatMap(([operation, imm, version, src, text]) =>
    ([8, 4] as const).map((sizeBytes) => ({
      ...NOTHING,
      name: `atomic_${operation}${sizeBytes * 8}`,
      code: 0xc3 | SIZE_BITS[sizeBytes],
      kind: 'atomic' as const,
      operation,
      width: (sizeBytes * 8) as 32 | 64,
      sizeBytes,
      version,
      source: 'reg' as const,
      dst: 'read' as const,
      src,
      off: 'memory' as const,
      imm,
      text: text
        .replace('$type', WORD[sizeBytes])
        .replace('$bits', sizeBytes === 8 ? '_64' : '32_32')
        .replaceAll('$r0', sizeBytes === 8 ? 'r0' : 'w0'),
    })),
  );
  const acquire = SIZES.map((sizeBytes) => ({
    ...NOTHING,
    name: `load_acquire_${WORD[sizeBytes]}`,
    code: 0xc3 | SIZE_BITS[sizeBytes],
    kind: 'atomic' as const,
    operation: 'load_acquire',
    sizeBytes,
    version: 4 as const,
    source: 'reg' as const,
    dst: 'write' as const,
    src: 'read' as const,
    off: 'memory' as const,
    imm: 0x100,
    text: `$dst = load_acquire((${WORD[sizeBytes]} *)($src $off))`,
  }));
  const release = SIZES.map((sizeBytes) => ({
    ...NOTHING,
    name: `store_release_${WORD[sizeBytes]}`,
    code: 0xc3 | SIZE_BITS[sizeBytes],
    kind: 'atomic' as const,
    operation: 'store_release',
    sizeBytes,
    version: 4 as const,
    source: 'reg' as const,
    dst: 'read' as const,
    src: 'read' as const,
    off: 'memory' as const,
    imm: 0x110,
    text: `store_release((${WORD[sizeBytes]} *)($dst $off), $src)`,
  }));
  return [...modify, ...acquire, ...release];
}

/** `ld_imm64`: what the 64-bit immediate means, by source field. */
const PSEUDOS: readonly [ConstantPseudo, number, Row['high'], string][] = [
  ['value', 0, 'value', '$dst = $imm64 ll'],
  ['map', 1, 'unused', '$dst = map[fd:$imm]'],
  ['map_value', 2, 'value', '$dst = map[fd:$imm][0] + $high'],
  ['kernel_symbol', 3, 'value', '$dst = btf[$imm:$high]'],
  ['function', 4, 'ignored', '$dst = func[pc$callee]'],
  ['map_index', 5, 'unused', '$dst = map[idx:$imm]'],
  ['map_index_value', 6, 'value', '$dst = map[idx:$imm][0] + $high'],
];

function constantRows(): Fields[] {
  const constants = PSEUDOS.map(([operation, src, high, text]) => ({
    ...NOTHING,
    name: `constant_${operation}`,
    code: 0x18,
    kind: 'constant' as const,
    operation,
    width: 64 as const,
    dst: 'write' as const,
    src,
    imm: 'low' as const,
    high,
    text,
  }));
  const continuation = {
    ...NOTHING,
    name: 'continuation',
    code: 0x00,
    kind: 'continuation' as const,
    text: '',
  };
  return [...constants, continuation];
}

/** Legacy packet loads (RFC 9669 section 5.5): implicit context in r6, result in r0. */
function packetRows(): Fields[] {
  return ([4, 2, 1] as const).flatMap((sizeBytes) => [
    {
      ...NOTHING,
      name: `ld_abs_${WORD[sizeBytes]}`,
      code: 0x20 | SIZE_BITS[sizeBytes],
      kind: 'packet' as const,
      operation: 'abs',
      sizeBytes,
      imm: 'value' as const,
      text: `r0 = *(${WORD[sizeBytes]} *)skb[$imm]`,
    },
    {
      ...NOTHING,
      name: `ld_ind_${WORD[sizeBytes]}`,
      code: 0x40 | SIZE_BITS[sizeBytes],
      kind: 'packet' as const,
      operation: 'ind',
      sizeBytes,
      src: 'read' as const,
      imm: 'value' as const,
      text: `r0 = *(${WORD[sizeBytes]} *)skb[$src + $imm]`,
    },
  ]);
}

/** Every instruction, in a stable order. */
export const TABLE: readonly Row[] = Object.freeze(
  [
    ...arithmeticRows(),
    ...moveRows(),
    ...byteOrderRows(),
    ...jumpRows(),
    ...controlRows(),
    ...memoryRows(),
    ...atomicRows(),
    ...constantRows(),
    ...packetRows(),
  ].map(withIndex),
);

/** Rows are read on every step of every walk: all have one order of fields, hence one shape. */
function withIndex(fields: Omit<Row, 'index'>, index: number): Row {
  return Object.freeze({
    index,
    name: fields.name,
    code: fields.code,
    kind: fields.kind,
    operation: fields.operation,
    width: fields.width,
    sizeBytes: fields.sizeBytes,
    source: fields.source,
    signed: fields.signed,
    dst: fields.dst,
    src: fields.src,
    off: fields.off,
    imm: fields.imm,
    high: fields.high,
    immediates: fields.immediates,
    version: fields.version,
    text: fields.text,
  });
}

const BY_NAME: ReadonlyMap<string, Row> = new Map(TABLE.map((row) => [row.name, row]));

/** The row called `name`. Throws RangeError when there is none. */
export function rowNamed(name: string): Row {
  const row = BY_NAME.get(name);
  if (!row) throw new RangeError(`no instruction is called '${name}'`);
  return row;
}
