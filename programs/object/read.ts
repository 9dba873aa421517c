/**
 * Programs from an ELF object file, the way clang and gcc write them: the whole path on one screen.
 * What a kernel would refuse is not an error of the file: a program whose section name means nothing
 * is of type `unspec`, one that needs a kernel type which does not exist says so in `unresolved`.
 */
import type { Btf } from '../../btf/index.ts';
import type { Program } from '../../isa/index.ts';
import { parseBtfExt, type SectionRecords } from './btf-ext.ts';
import { type CodeFunction, type CodeSection, collectCode } from './code.ts';
import { relocateCore } from './core-relocate.ts';
import { type Elf, parseElf } from './elf.ts';
import { collectExterns, kconfigMap } from './externs.ts';
import { Linker } from './link.ts';
import { collectMaps, licenseOf, type MapTable } from './maps.ts';
import { completeBtf, rawBtf } from './program-btf.ts';
import { relocate } from './relocate.ts';
import { sectionMeaning } from './section-names.ts';

export interface ObjectOptions {
  /** Types of the kernel that the program is for: CO-RE, kernel functions and variables. */
  readonly kernelBtf?: Btf | undefined;
  /** `6.18`; the value of LINUX_KERNEL_VERSION. */
  readonly kernelVersion?: string;
  /** CONFIG_* values as in the kernel's .config: `y`, `n`, `m`, `250`, `"text"`. */
  readonly kconfig?: ReadonlyMap<string, string>;
}

/** The release of the default profile. */
const DEFAULT_KERNEL_VERSION = '6.18';

/**
 * All programs of the object, in the order of their sections. Throws InputError when the file is
 * malformed; `file` names it in messages and in the names of data maps.
 */
export function readObject(
  bytes: Uint8Array,
  file: string,
  options: ObjectOptions = {},
): Program[] {
  const elf = parseElf(bytes, file);
  const externOptions = {
    kernelVersion: options.kernelVersion ?? DEFAULT_KERNEL_VERSION,
    kconfig: options.kconfig ?? new Map<string, string>(),
    get kernelBtf() {
      return options.kernelBtf;
    },
  };
  const raw = rawBtf(elf);
  const externs = collectExterns(elf, raw, externOptions);
  const typed = completeBtf(elf, raw, externs.kconfig, externs.kconfigValue.length);
  const records = recordsOf(elf, typed?.btf);
  const maps = collectMaps(elf, typed?.btf);
  const code = collectCode(elf);
  const kconfig =
    externs.kconfigValue.length === 0
      ? undefined
      : maps.addData(kconfigMap(file, typed?.btf, externs.kconfigValue), -1);
  if (typed && [...records.values()].some(({ core }) => core.length > 0))
    relocateCore(file, code, records, typed.btf, options.kernelBtf);
  relocate({ elf, code, maps, externs, kconfigMap: kconfig, options: externOptions });
  const linker = new Linker(file, typed?.btf, records, code.values());
  return entriesOf(code).map((entry) => programOf(elf, entry, linker, maps, typed?.bytes));
}

function recordsOf(elf: Elf, btf: Btf | undefined): ReadonlyMap<string, SectionRecords> {
  const section = elf.byName.get('.BTF.ext');
  return section && btf ? parseBtfExt(section, btf, elf.file) : new Map();
}

/**
 * The functions that are programs. Functions in .text are subprograms, unless there is nothing else:
 * then the object is a single program without a section name.
 */
function entriesOf(code: ReadonlyMap<number, CodeSection>): CodeFunction[] {
  const all = [...code.values()].flatMap((each) => each.functions);
  const outside = all.filter((each) => each.code.section.name !== '.text');
  const named = outside.filter((each) => each.global);
  if (named.length > 0) return named;
  return all.length === 1 ? all : outside;
}

function programOf(
  elf: Elf,
  entry: CodeFunction,
  linker: Linker,
  maps: MapTable,
  btf: Uint8Array | undefined,
): Program {
  const section = entry.code.section.name;
  const { flags, ...meaning } = sectionMeaning(section);
  const { unresolved, ...linked } = linker.link(entry);
  return {
    name: entry.name,
    file: elf.file,
    section,
    ...meaning,
    license: licenseOf(elf),
    flags,
    maps: maps.specs,
    ...linked,
    ...(btf && { btf }),
    ...(unresolved.length > 0 && { unresolved }),
  };
}
