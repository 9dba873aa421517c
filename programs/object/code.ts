/**
 * The executable sections of an object, and the functions in them. Each section's instructions are
 * copied once; relocations change that copy and leave marks, by slot, for what the linked program
 * has to know about an instruction.
 */
import { InputError, type Unresolved } from '../../isa/index.ts';
import { type Elf, type ElfSection, type ElfSymbol, SHT, STB, STT } from './elf.ts';

export const SLOT_BYTES = 8;

/** What a relocation found out about one instruction. */
export type Mark =
  | { readonly kind: 'map'; readonly map: number; readonly valueOffset?: number }
  /** A call of, or the address of, a function of this object. */
  | { readonly kind: 'function'; readonly target: CodeFunction }
  | { readonly kind: 'kfunc'; readonly name: string };

export interface CodeFunction {
  readonly name: string;
  readonly code: CodeSection;
  /** First slot in the section, and one past the last. */
  readonly start: number;
  readonly end: number;
  readonly global: boolean;
}

export interface CodeSection {
  readonly section: ElfSection;
  /** The section's instructions, changed by relocation. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** In order of start. */
  readonly functions: CodeFunction[];
  readonly byStart: Map<number, CodeFunction>;
  readonly marks: Map<number, Mark>;
  /** Instructions that cannot do what their source says, with the reason. */
  readonly unresolved: Map<number, Omit<Unresolved, 'instruction'>>;
}

/** All executable sections by section index. */
export function collectCode(elf: Elf): ReadonlyMap<number, CodeSection> {
  const sections = new Map<number, CodeSection>();
  for (const section of elf.sections) {
    if (!section.executable || section.type !== SHT.PROGBITS || section.sizeBytes === 0) continue;
    if (section.sizeBytes % SLOT_BYTES !== 0)
      throw new InputError(
        elf.file,
        section.offset,
        `${section.sizeBytes} bytes are not whole instructions of 8`,
        section.name,
      );
    const bytes = section.data.slice();
    sections.set(section.index, {
      section,
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      functions: [],
      byStart: new Map(),
      marks: new Map(),
      unresolved: new Map(),
    });
  }
  for (const symbol of elf.symbols) {
    const code = sections.get(symbol.section);
    if (code && symbol.type === STT.FUNC) addFunction(elf, code, symbol);
  }
  for (const code of sections.values()) finish(elf, code);
  return sections;
}

function addFunction(elf: Elf, code: CodeSection, symbol: ElfSymbol): void {
  const { value, sizeBytes, name } = symbol;
  const total = code.bytes.length;
  if (value % SLOT_BYTES !== 0 || sizeBytes % SLOT_BYTES !== 0 || value + sizeBytes > total)
    throw new InputError(
      elf.file,
      symbol.fileOffset,
      `function ${name} (${sizeBytes} bytes at ${value}) does not fit its section of ${total}`,
      code.section.name,
    );
  const start = value / SLOT_BYTES;
  if (start * SLOT_BYTES === total || code.byStart.has(start)) return; // An alias, or nothing.
  const end = start + sizeBytes / SLOT_BYTES;
  const global = symbol.binding !== STB.LOCAL;
  const made = { name, code, start, end, global };
  code.functions.push(made);
  code.byStart.set(start, made);
}

/**
 * Orders the functions, extends those without a size to the next one, and checks that none overlap:
 * so the functions of a section are together no larger than it. A section without function symbols
 * (assembly) is one function named like the section.
 */
function finish(elf: Elf, code: CodeSection): void {
  const slots = code.bytes.length / SLOT_BYTES;
  code.functions.sort((a, b) => a.start - b.start);
  if (code.functions.length === 0)
    code.functions.push({ name: code.section.name, code, start: 0, end: slots, global: true });
  for (const [index, each] of code.functions.entries()) {
    const limit = code.functions[index + 1]?.start ?? slots;
    if (each.end > limit)
      throw new InputError(
        elf.file,
        code.section.offset + limit * SLOT_BYTES,
        `function ${each.name} overlaps the next one`,
        code.section.name,
      );
    const sized = each.end === each.start ? { ...each, end: limit } : each;
    code.functions[index] = sized;
    code.byStart.set(sized.start, sized);
  }
}

/** The second byte of a slot holds the source register above the destination. */
export function setSource(code: CodeSection, slot: number, source: number): void {
  const at = slot * SLOT_BYTES + 1;
  code.bytes[at] = (code.bytes[at]! & 0x0f) | (source << 4);
}

export function sourceOf(code: CodeSection, slot: number): number {
  return code.bytes[slot * SLOT_BYTES + 1]! >>> 4;
}

export function immediateOf(code: CodeSection, slot: number): number {
  return code.view.getInt32(slot * SLOT_BYTES + 4, true);
}

export function setImmediate(code: CodeSection, slot: number, value: number): void {
  code.view.setInt32(slot * SLOT_BYTES + 4, value | 0, true);
}

/** Immediate of the call that stands for an instruction without meaning; libbpf's number. */
const POISON = 0xbad2310;

/**
 * Replaces the instruction by a call of a helper that does not exist, which a verifier refuses if
 * it can be reached. The two slots of a constant are both replaced.
 */
export function poison(
  code: CodeSection,
  slot: number,
  fault: Omit<Unresolved, 'instruction'>,
): void {
  const slots = code.bytes[slot * SLOT_BYTES] === LD_IMM64 ? 2 : 1;
  for (let at = slot; at < slot + slots && at * SLOT_BYTES < code.bytes.length; at++) {
    code.bytes.fill(0, at * SLOT_BYTES, (at + 1) * SLOT_BYTES);
    code.bytes[at * SLOT_BYTES] = CALL;
    setImmediate(code, at, POISON);
    code.unresolved.set(at, fault);
    code.marks.delete(at);
  }
}

/** Opcodes of RFC 9669 that relocations apply to: 64-bit constant load, and call. */
export const LD_IMM64 = 0x18;
export const CALL = 0x85;
