/**
 * The program's .BTF, completed with what only the ELF symbols know: compilers leave the sizes of
 * data sections and the offsets of global variables to the linker, and a hidden global function is to
 * be verified as a static one (libbpf does both before the kernel sees the BTF).
 */
import { type Btf, parseBtf } from '../../btf/index.ts';
import { type Elf, type ElfSymbol, STB, STT, STV_HIDDEN, STV_INTERNAL } from './elf.ts';

export interface ProgramBtf {
  readonly btf: Btf;
  /** What the kernel would be given. */
  readonly bytes: Uint8Array;
}

/** Words of struct btf_type before the section variables, and of one variable. */
const ENTRY_BYTES = 12;
const VARIABLE_BYTES = 12;

/** `raw` is the BTF as the compiler wrote it; `kconfig` places the variables of .kconfig by name. */
export function completeBtf(
  elf: Elf,
  raw: Btf | undefined,
  kconfig: ReadonlyMap<string, number>,
  kconfigBytes: number,
): ProgramBtf | undefined {
  const section = elf.byName.get('.BTF');
  if (!section || !raw) return undefined;
  const origin = { section: section.name, offset: section.offset };
  const bytes = section.data.slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const globals = globalsByName(elf);
  for (let id = 1; id < raw.count; id++) {
    const kind = raw.kindOf(id);
    if (kind === 'datasec') placeVariables(elf, raw, id, view, globals, kconfig, kconfigBytes);
    else if (kind === 'func') hideFunction(raw, id, view, globals);
  }
  return { btf: parseBtf(bytes, elf.file, origin), bytes };
}

/** The BTF as the compiler wrote it. */
export function rawBtf(elf: Elf): Btf | undefined {
  const section = elf.byName.get('.BTF');
  return section && parseBtf(section.data, elf.file, { section: '.BTF', offset: section.offset });
}

function globalsByName(elf: Elf): ReadonlyMap<string, ElfSymbol> {
  return new Map(
    elf.symbols.filter((each) => each.binding !== STB.LOCAL).map((each) => [each.name, each]),
  );
}

function placeVariables(
  elf: Elf,
  btf: Btf,
  id: number,
  view: DataView,
  globals: ReadonlyMap<string, ElfSymbol>,
  kconfig: ReadonlyMap<string, number>,
  kconfigBytes: number,
): void {
  const type = btf.typeOf(id, 'datasec');
  const section = type && elf.byName.get(type.name);
  if (!type) return;
  const entry = btf.entryOffset(id);
  if (type.name === '.kconfig') view.setUint32(entry + 8, kconfigBytes, true);
  else if (section) view.setUint32(entry + 8, section.sizeBytes, true);
  for (const [index, { typeId }] of type.variables.entries()) {
    const variable = btf.typeOf(typeId, 'var');
    if (!variable || variable.linkage === 'static') continue;
    const symbol = globals.get(variable.name);
    const inSection = section !== undefined && symbol?.section === section.index;
    const offset =
      type.name === '.kconfig'
        ? kconfig.get(variable.name)
        : inSection && symbol.value <= 0xffffffff
          ? symbol.value
          : undefined;
    if (offset !== undefined)
      view.setUint32(entry + ENTRY_BYTES + index * VARIABLE_BYTES + 4, offset, true);
  }
}

function hideFunction(
  btf: Btf,
  id: number,
  view: DataView,
  globals: ReadonlyMap<string, ElfSymbol>,
): void {
  const type = btf.typeOf(id, 'func');
  if (type?.linkage !== 'global') return;
  const symbol = globals.get(type.name);
  if (symbol?.type !== STT.FUNC) return;
  if (symbol.visibility === STV_HIDDEN || symbol.visibility === STV_INTERNAL)
    view.setUint16(btf.entryOffset(id) + 4, 0, true); // vlen of a function is its linkage; 0: static
}
