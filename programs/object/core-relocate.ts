/**
 * CO-RE ("compile once, run everywhere"): each record says that an immediate or offset depends on the
 * layout of a kernel type, and is replaced by what the given kernel's BTF says. Where the kernel has
 * no such thing the instruction is poisoned, as libbpf does: programs guard such code with
 * `bpf_core_field_exists` and the like, whose 0 makes it unreachable.
 *
 * Source: the description of CO-RE in Documentation/bpf/llvm_reloc.rst and bpf_core_relo_kind in
 * uapi/linux/bpf.h.
 */
import type { Btf } from '../../btf/index.ts';
import { InputError } from '../../isa/index.ts';
import type { CoreRecord, SectionRecords } from './btf-ext.ts';
import { type CodeSection, LD_IMM64, poison, SLOT_BYTES } from './code.ts';
import { CORE_KINDS, type CoreKind, type CoreSpec, matchSpec, parseSpec } from './core-spec.ts';
import { sameKind, TypeComparison } from './core-types.ts';
import { type CoreValue, coreValue } from './core-value.ts';

/** What to write, and what stands there now; or why nothing can be written. */
interface Resolution {
  readonly local: CoreValue;
  readonly target: CoreValue;
}

/** Applies the records of all sections. */
export function relocateCore(
  file: string,
  code: ReadonlyMap<number, CodeSection>,
  records: ReadonlyMap<string, SectionRecords>,
  local: Btf,
  kernel: Btf | undefined,
): void {
  const resolver = new Resolver(local, kernel);
  for (const section of code.values())
    for (const record of records.get(section.section.name)?.core ?? []) {
      const slots = section.bytes.length / SLOT_BYTES;
      const kind = CORE_KINDS[record.kind];
      if (record.slot >= slots || !local.has(record.typeId) || kind === undefined)
        throw new InputError(
          file,
          section.section.offset + Math.min(record.slot, slots) * SLOT_BYTES,
          `a CO-RE record of kind ${record.kind} for type ${record.typeId}, slot ${record.slot}`,
          section.section.name,
        );
      const resolution = resolver.resolve(record, kind);
      const fault =
        typeof resolution === 'string' ? resolution : patch(section, record.slot, resolution);
      if (fault !== undefined)
        poison(section, record.slot, {
          reason: `CO-RE ${describe(local, record, kind)}: ${fault}`,
          guarded: true,
        });
    }
}

/** `field_byte_offset of struct task_struct, 0:5`. */
function describe(btf: Btf, record: CoreRecord, kind: CoreKind): string {
  const name = btf.nameOf(record.typeId).slice(0, 100) || 'an anonymous type';
  return `${kind} of ${btf.kindOf(record.typeId)} ${name}, ${record.access.slice(0, 80)}`;
}

class Resolver {
  readonly #local: Btf;
  readonly #kernel: Btf | undefined;
  readonly #types = new TypeComparison();
  /** Programs ask for the same field many times. */
  readonly #known = new Map<string, Resolution | string>();

  constructor(local: Btf, kernel: Btf | undefined) {
    this.#local = local;
    this.#kernel = kernel;
  }

  resolve(record: CoreRecord, kind: CoreKind): Resolution | string {
    const key = `${record.typeId} ${kind} ${record.access}`;
    let found = this.#known.get(key);
    if (found === undefined) {
      found = this.#resolve(record, kind);
      if (this.#types.exhausted) found = 'the types of this file are too complex to compare';
      this.#known.set(key, found);
    }
    return found;
  }

  #resolve(record: CoreRecord, kind: CoreKind): Resolution | string {
    const spec = parseSpec(this.#local, record.typeId, record.access, kind, this.#types);
    if (typeof spec === 'string') return spec;
    const local = coreValue(kind, spec, this.#types);
    if (typeof local === 'string') return local;
    if (kind === 'type_id_local') return { local, target: local };
    if (!this.#kernel) return "needs the kernel's BTF";
    const target = this.#targetValue(spec, this.#kernel);
    return typeof target === 'string' ? target : { local, target };
  }

  /** The value over all kernel types of the name that have the path; they must agree. */
  #targetValue(local: CoreSpec, kernel: Btf): CoreValue | string {
    const { kind } = local;
    const type = this.#types.type({ btf: local.btf, id: local.rootId });
    if (type.name === '') return 'the type has no name';
    const found: { spec: CoreSpec; value: CoreValue | string }[] = [];
    for (const id of kernel.flavors(type.name)) {
      if (!sameKind(type, this.#types.type({ btf: kernel, id }))) continue;
      const spec = matchSpec(local, kernel, id, this.#types);
      if (spec) found.push({ spec, value: coreValue(kind, spec, this.#types) });
    }
    const first = found[0];
    if (!first) return coreValue(kind, undefined, this.#types);
    const agree = found.every(
      ({ spec, value }) =>
        spec.bitOffset === first.spec.bitOffset && numberOf(value) === numberOf(first.value),
    );
    return agree ? first.value : `${found.length} kernel types of that name disagree`;
  }
}

function numberOf(value: CoreValue | string): bigint | undefined {
  return typeof value === 'string' ? undefined : value.value;
}

/** Instruction classes of RFC 9669, and the source bit of arithmetic. */
const CLASS = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, ALU64: 7 } as const;
const SOURCE_REGISTER = 0x08;
/** Size bits of loads and stores. */
const SIZE_MASK = 0x18;
const SIZE_BITS: Readonly<Record<number, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };

/** Writes the target's number where the local one stands; otherwise the reason why not. */
function patch(code: CodeSection, slot: number, resolution: Resolution): string | undefined {
  const opcode = code.bytes[slot * SLOT_BYTES]!;
  switch (opcode & 0x07) {
    case CLASS.ALU:
    case CLASS.ALU64:
      if (opcode & SOURCE_REGISTER) return 'its instruction has no immediate';
      return patchImmediate(code, slot, resolution);
    case CLASS.LDX:
    case CLASS.ST:
    case CLASS.STX:
      return patchAccess(code, slot, resolution);
    case CLASS.LD:
      if (opcode !== LD_IMM64) return 'its instruction is a legacy packet load';
      return patchConstant(code, slot, resolution);
    default:
      return 'its instruction is a jump';
  }
}

const disagrees = (found: bigint, local: CoreValue) =>
  `its instruction holds ${found}, its type says ${local.value}`;

function patchImmediate(
  code: CodeSection,
  slot: number,
  { local, target }: Resolution,
): string | undefined {
  const at = slot * SLOT_BYTES + 4;
  const found = code.view.getInt32(at, true);
  if (local.validate && BigInt.asIntN(32, local.value) !== BigInt(found))
    return disagrees(BigInt(found), local);
  code.view.setInt32(at, Number(BigInt.asIntN(32, target.value)), true);
  return undefined;
}

function patchConstant(
  code: CodeSection,
  slot: number,
  { local, target }: Resolution,
): string | undefined {
  const at = slot * SLOT_BYTES;
  if (at + 2 * SLOT_BYTES > code.bytes.length || code.bytes[at + SLOT_BYTES] !== 0)
    return 'its constant is cut off';
  if (code.bytes[at + 1]! >>> 4 !== 0) return 'its constant is not a plain number';
  const low = BigInt(code.view.getUint32(at + 4, true));
  const found = (BigInt(code.view.getUint32(at + 12, true)) << 32n) | low;
  if (local.validate && BigInt.asUintN(64, local.value) !== found) return disagrees(found, local);
  const value = BigInt.asUintN(64, target.value);
  code.view.setUint32(at + 4, Number(value & 0xffffffffn), true);
  code.view.setUint32(at + 12, Number(value >> 32n), true);
  return undefined;
}

/** A load or store also follows the field's size, where that cannot change its meaning. */
function patchAccess(
  code: CodeSection,
  slot: number,
  { local, target }: Resolution,
): string | undefined {
  const at = slot * SLOT_BYTES;
  const found = code.view.getInt16(at + 2, true);
  if (local.validate && local.value !== BigInt(found)) return disagrees(BigInt(found), local);
  if (target.value > 32767n) return `offset ${target.value} is beyond 32,767`;
  const opcode = code.bytes[at]!;
  const bytes = target.fieldBytes;
  if (bytes !== local.fieldBytes) {
    const size = bytes === undefined ? undefined : SIZE_BITS[bytes];
    const isWhole = SIZE_BITS[local.fieldBytes ?? 0] === (opcode & SIZE_MASK);
    if (!mayResize(local, target)) return 'the field has another size, and is no unsigned number';
    if (size === undefined || !isWhole) return 'the access is not of the whole field';
    code.bytes[at] = (opcode & ~SIZE_MASK) | size;
  }
  code.view.setInt16(at + 2, Number(target.value), true);
  return undefined;
}

/** Zero-extension makes loads of unsigned integers and of pointers independent of their size. */
function mayResize(local: CoreValue, target: CoreValue): boolean {
  const [a, b] = [local.fieldType, target.fieldType];
  if (a?.kind === 'ptr' && b?.kind === 'ptr') return true;
  return a?.kind === 'int' && b?.kind === 'int' && !a.signed && !b.signed;
}
