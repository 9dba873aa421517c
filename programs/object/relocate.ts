/**
 * Relocations of code: each names a symbol for one `ld_imm64` or `call`, and the symbol is a map, a
 * variable in a data section, a function, or something of the kernel's. The instruction gets the
 * pseudo source register that says which, and a mark.
 *
 * Sources: Documentation/bpf/llvm_reloc.rst for relocation types; uapi/linux/bpf.h, "BPF_PSEUDO_*".
 */
import { InputError } from '../../isa/index.ts';
import {
  CALL,
  type CodeSection,
  immediateOf,
  LD_IMM64,
  poison,
  SLOT_BYTES,
  setImmediate,
  setSource,
} from './code.ts';
import { type Elf, type ElfRelocation, SHN_COMMON, SHN_UNDEF, STT } from './elf.ts';
import type { Extern, ExternOptions, Externs } from './externs.ts';
import type { MapTable } from './maps.ts';

/** R_BPF_64_64 for constants, R_BPF_64_32 for calls. */
const R_BPF_64_64 = 1;
const R_BPF_64_32 = 10;

/** BPF_PSEUDO_MAP_FD, _MAP_VALUE, _BTF_ID, _FUNC for constants; _CALL, _KFUNC_CALL for calls. */
const PSEUDO = { MAP: 1, MAP_VALUE: 2, BTF_ID: 3, FUNCTION: 4, CALL: 1, KFUNC: 2 } as const;

export interface RelocationInput {
  readonly elf: Elf;
  readonly code: ReadonlyMap<number, CodeSection>;
  readonly maps: MapTable;
  readonly externs: Externs;
  readonly kconfigMap: number | undefined;
  readonly options: ExternOptions;
}

/**
 * GNU binutils before 2.41 (with GCC up to 13) put the value of a named symbol into the instruction
 * as well: whole for constants, in bytes less one for calls. Such objects cannot be told from others
 * by their relocations, only by the compiler's name in `.comment`.
 */
function hasSymbolInAddend(elf: Elf): boolean {
  const comment = elf.byName.get('.comment')?.data ?? new Uint8Array();
  const text = Buffer.from(comment.subarray(0, 256)).toString('latin1');
  const version = /GCC: \([^)]*\) (\d+)\./.exec(text);
  return version !== null && Number(version[1]) <= 13;
}

/** Takes the values of named symbols out of the instructions again. */
function removeSymbolValues(input: RelocationInput): void {
  for (const [index, code] of input.code)
    for (const { offset, symbol, addend } of input.elf.relocations.get(index) ?? []) {
      const slot = Math.floor(offset / SLOT_BYTES);
      if (symbol.type === STT.SECTION || addend !== undefined || offset % SLOT_BYTES) continue;
      const given = immediateOf(code, slot);
      const isCall = code.bytes[offset] === CALL;
      if (isCall && given === symbol.value - 1) setImmediate(code, slot, -1);
      else if (!isCall && given >= symbol.value) setImmediate(code, slot, given - symbol.value);
    }
}

/** Applies all relocations of all code sections. */
export function relocate(input: RelocationInput): void {
  if (hasSymbolInAddend(input.elf)) removeSymbolValues(input);
  for (const [index, code] of input.code)
    for (const relocation of input.elf.relocations.get(index) ?? [])
      relocateOne(input, code, relocation);
}

function relocateOne(input: RelocationInput, code: CodeSection, relocation: ElfRelocation): void {
  const { symbol, offset } = relocation;
  const fail = (reason: string): never => {
    const at = code.section.offset + offset;
    throw new InputError(input.elf.file, at, reason, code.section.name);
  };
  if (relocation.type !== R_BPF_64_64 && relocation.type !== R_BPF_64_32)
    fail(`relocation type ${relocation.type} cannot stand in code`);
  if (offset % SLOT_BYTES !== 0) fail(`a relocation at ${offset}, inside an instruction`);
  const slot = offset / SLOT_BYTES;
  const opcode = code.bytes[offset];
  if (opcode === LD_IMM64 && offset + 2 * SLOT_BYTES > code.bytes.length)
    fail('a constant is cut off by the end of the section');
  if (opcode !== LD_IMM64 && opcode !== CALL)
    fail(`a relocation of opcode 0x${opcode?.toString(16)}, which is no constant and no call`);

  const applied =
    symbol.section === SHN_UNDEF
      ? bindExtern(input, code, slot, symbol.name)
      : symbol.section === SHN_COMMON
        ? `variable ${symbol.name} is in COMMON; compile with -fno-common`
        : opcode === CALL
          ? bindCall(input, code, slot, relocation)
          : bindConstant(input, code, slot, relocation);
  if (applied !== undefined) poison(code, slot, { reason: applied });
}

/** The reason why it cannot be bound, or undefined when it is. */
type Outcome = string | undefined;

/**
 * In a REL section the addend of a call is its immediate, in slots and relative to the next
 * instruction: a section symbol with -1 + n means slot n, a function symbol has -1.
 */
function bindCall(
  input: RelocationInput,
  code: CodeSection,
  slot: number,
  { symbol, addend }: ElfRelocation,
): Outcome {
  const inSlots = addend === undefined ? immediateOf(code, slot) + 1 : addend / SLOT_BYTES;
  const target = input.code.get(symbol.section)?.byStart.get(symbol.value / SLOT_BYTES + inSlots);
  if (!target) return `the call of ${symbol.name || 'a function'} leads to no function`;
  setSource(code, slot, PSEUDO.CALL);
  code.marks.set(slot, { kind: 'function', target });
  return undefined;
}

function bindConstant(
  input: RelocationInput,
  code: CodeSection,
  slot: number,
  { symbol, addend }: ElfRelocation,
): Outcome {
  const { maps } = input;
  const offset = symbol.value + (addend ?? immediateOf(code, slot) >>> 0);
  const declared = maps.declaredAt(symbol.section, offset);
  const data = maps.dataOf(symbol.section);
  const functions = input.code.get(symbol.section);
  if (declared !== undefined) {
    setSource(code, slot, PSEUDO.MAP);
    setImmediate(code, slot, declared);
    setImmediate(code, slot + 1, 0);
    code.marks.set(slot, { kind: 'map', map: declared });
    return undefined;
  }
  if (data !== undefined) {
    pointIntoMap(code, slot, data, offset);
    return undefined;
  }
  if (functions) {
    const target = functions.byStart.get(offset / SLOT_BYTES);
    if (!target) return `the address of ${symbol.name || 'a function'} is of no function`;
    setSource(code, slot, PSEUDO.FUNCTION);
    setImmediate(code, slot + 1, 0);
    code.marks.set(slot, { kind: 'function', target });
    return undefined;
  }
  const name = input.elf.sections[symbol.section]?.name ?? String(symbol.section);
  return `${symbol.name || 'a constant'} refers to section ${name}, which is no map and no data`;
}

function pointIntoMap(code: CodeSection, slot: number, map: number, valueOffset: number): void {
  setSource(code, slot, PSEUDO.MAP_VALUE);
  setImmediate(code, slot, map);
  setImmediate(code, slot + 1, valueOffset);
  code.marks.set(slot, { kind: 'map', map, valueOffset: valueOffset >>> 0 });
}

function bindExtern(
  input: RelocationInput,
  code: CodeSection,
  slot: number,
  name: string,
): Outcome {
  const extern = input.externs.byName.get(name);
  const isCall = code.bytes[slot * SLOT_BYTES] === CALL;
  if (!extern) return `${name || 'a symbol without a name'} is not defined in this object`;
  switch (extern.kind) {
    case 'kconfig':
      if (isCall || input.kconfigMap === undefined) return `${name} is not a function`;
      if (extern.missing !== undefined) return extern.missing;
      pointIntoMap(code, slot, input.kconfigMap, extern.offset);
      return undefined;
    case 'kfunc':
      return isCall
        ? bindKfuncCall(input, code, slot, extern)
        : bindKernelAddress(input, code, slot, extern, 'func');
    case 'variable':
      if (isCall) return `kernel variable ${name} is called like a function`;
      if (extern.typed) return bindKernelAddress(input, code, slot, extern, 'var');
      if (!extern.weak) return `the address of kernel symbol ${name} is not known`;
      setConstant(code, slot, 0);
      return undefined;
    default:
      return extern satisfies never;
  }
}

/**
 * A kernel function that the kernel's BTF lacks cannot be called. Without kernel BTF every call
 * stands by its name; which functions there are is then the platform's to say.
 */
function bindKfuncCall(
  { options }: RelocationInput,
  code: CodeSection,
  slot: number,
  extern: Extract<Extern, { kind: 'kfunc' }>,
): Outcome {
  const id = options.kernelBtf?.find(extern.name, 'func');
  if (options.kernelBtf && id === undefined) return `the kernel has no function ${extern.name}`;
  setSource(code, slot, PSEUDO.KFUNC);
  setImmediate(code, slot, id ?? 0);
  code.marks.set(slot, { kind: 'kfunc', name: extern.name });
  return undefined;
}

/** The address of a kernel function or variable by its BTF id; 0 where a weak one is missing. */
function bindKernelAddress(
  { options }: RelocationInput,
  code: CodeSection,
  slot: number,
  extern: Exclude<Extern, { kind: 'kconfig' }>,
  kind: 'func' | 'var',
): Outcome {
  if (!options.kernelBtf && !extern.weak)
    return `the address of kernel symbol ${extern.name} needs the kernel's BTF`;
  const id = options.kernelBtf?.find(extern.name, kind);
  if (id === undefined && !extern.weak) return `the kernel has no symbol ${extern.name}`;
  setConstant(code, slot, id ?? 0);
  if (id !== undefined) setSource(code, slot, PSEUDO.BTF_ID);
  return undefined;
}

function setConstant(code: CodeSection, slot: number, value: number): void {
  setSource(code, slot, 0);
  setImmediate(code, slot, value);
  setImmediate(code, slot + 1, 0);
}
