/**
 * What a program takes from the kernel by name: configuration values (`.kconfig`), kernel functions
 * and kernel variables (`.ksyms`). Which of the three an undefined ELF symbol is, only BTF tells.
 *
 * Kernel configuration becomes one more frozen map, laid out as libbpf does: by descending alignment,
 * ascending size, then name.
 */
import { type Btf, type BtfType, essentialName } from '../../btf/index.ts';
import type { MapSpec } from '../../isa/index.ts';
import { type Elf, SHN_UNDEF, STB } from './elf.ts';
import { dataMapName, F_MMAPABLE, F_RDONLY_PROG } from './maps.ts';

export interface ExternOptions {
  /** `6.18`: LINUX_KERNEL_VERSION and what depends on it. */
  readonly kernelVersion: string;
  /** CONFIG_* as in the kernel's .config: `y`, `n`, `m`, `250`, `"text"`. */
  readonly kconfig: ReadonlyMap<string, string>;
  readonly kernelBtf: Btf | undefined;
}

export type Extern =
  /** A byte offset in the value of the .kconfig map. */
  | { readonly kind: 'kconfig'; readonly offset: number; readonly missing: string | undefined }
  | { readonly kind: 'kfunc'; readonly name: string; readonly weak: boolean }
  /** `typed`: declared with a type, so that the kernel's BTF resolves it; else by address alone. */
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly weak: boolean;
      readonly typed: boolean;
    };

export interface Externs {
  readonly byName: ReadonlyMap<string, Extern>;
  /** Offsets in the .kconfig value by variable name. */
  readonly kconfig: ReadonlyMap<string, number>;
  readonly kconfigValue: Uint8Array;
}

interface Setting {
  readonly name: string;
  readonly typeId: number;
  readonly weak: boolean;
  readonly sizeBytes: number;
  readonly alignBytes: number;
}

/** Largest .kconfig value: strings are declared with a few dozen bytes. */
const MAX_KCONFIG_BYTES = 1 << 20;

export function collectExterns(elf: Elf, btf: Btf | undefined, options: ExternOptions): Externs {
  const byName = new Map<string, Extern>();
  const settings: Setting[] = [];
  const sections = btf ? externSections(btf) : new Map<string, ExternType>();
  for (const symbol of elf.symbols) {
    if (symbol.section !== SHN_UNDEF || symbol.binding === STB.LOCAL || symbol.name === '')
      continue;
    const declared = sections.get(symbol.name);
    if (!btf || !declared || byName.has(symbol.name)) continue;
    const weak = symbol.binding === STB.WEAK;
    const name = essentialName(symbol.name);
    if (declared.kind === 'func') byName.set(symbol.name, { kind: 'kfunc', name, weak });
    else if (declared.section === '.ksyms') {
      const typed = btf.resolve(declared.typeId) !== 0;
      byName.set(symbol.name, { kind: 'variable', name, weak, typed });
    } else if (declared.section === '.kconfig') {
      const sizeBytes = Math.min(btf.sizeOf(declared.typeId) ?? 0, MAX_KCONFIG_BYTES);
      const alignBytes = alignmentOf(btf, declared.typeId);
      settings.push({ name: symbol.name, typeId: declared.typeId, weak, sizeBytes, alignBytes });
    }
  }
  return { byName, ...layOut(btf, settings, byName, options) };
}

interface ExternType {
  readonly kind: 'var' | 'func';
  readonly typeId: number;
  readonly section: string;
}

/** Extern variables and functions by name, with the section that declares them. */
function externSections(btf: Btf): Map<string, ExternType> {
  const externs = new Map<string, ExternType>();
  for (const section of ['.kconfig', '.ksyms']) {
    const id = btf.find(section, 'datasec');
    const variables = id === undefined ? [] : (btf.typeOf(id, 'datasec')?.variables ?? []);
    for (const { typeId } of variables) {
      const type = btf.type(typeId);
      if (type.kind === 'var' || type.kind === 'func')
        externs.set(type.name, { kind: type.kind, typeId: type.typeId, section });
    }
  }
  return externs;
}

/** Alignment of what .kconfig may hold: integers, enums, arrays of characters. */
function alignmentOf(btf: Btf, typeId: number): number {
  let type: BtfType = btf.resolved(typeId);
  while (type.kind === 'array') type = btf.resolved(type.typeId);
  const size = btf.sizeOf(type.id) ?? 1;
  return [1, 2, 4].includes(size) ? size : 8;
}

function layOut(
  btf: Btf | undefined,
  settings: Setting[],
  byName: Map<string, Extern>,
  options: ExternOptions,
): { kconfig: ReadonlyMap<string, number>; kconfigValue: Uint8Array } {
  settings.sort(
    (a, b) =>
      b.alignBytes - a.alignBytes || a.sizeBytes - b.sizeBytes || (a.name < b.name ? -1 : 1),
  );
  const offsets = new Map<string, number>();
  let end = 0;
  for (const { name, sizeBytes, alignBytes } of settings) {
    const offset = Math.ceil(end / alignBytes) * alignBytes;
    // What no longer fits keeps offset 0 and is reported as missing below.
    if (offset + sizeBytes > MAX_KCONFIG_BYTES) continue;
    offsets.set(name, offset);
    end = offset + sizeBytes;
  }
  const value = new Uint8Array(end);
  for (const setting of settings) {
    const offset = offsets.get(setting.name);
    const text = offset === undefined ? undefined : settingText(setting.name, options);
    const written =
      text !== undefined &&
      offset !== undefined &&
      btf !== undefined &&
      write(value.subarray(offset, offset + setting.sizeBytes), btf.resolved(setting.typeId), text);
    const missing =
      written || (setting.weak && text === undefined && offset !== undefined)
        ? undefined
        : text === undefined
          ? `kernel setting ${setting.name} is not given`
          : `kernel setting ${setting.name}=${text} does not fit its type`;
    byName.set(setting.name, { kind: 'kconfig', offset: offset ?? 0, missing });
  }
  return { kconfig: offsets, kconfigValue: value };
}

/** The text that .config would hold for the name; libbpf's own LINUX_* names come from the version. */
function settingText(name: string, options: ExternOptions): string | undefined {
  const [major = 0, minor = 0, patch = 0] = options.kernelVersion.split('.').map(Number);
  const since = (m: number, n: number) => (major > m || (major === m && minor >= n) ? 'y' : 'n');
  switch (name) {
    case 'LINUX_KERNEL_VERSION':
      return String(major * 65536 + minor * 256 + Math.min(patch, 255));
    case 'LINUX_HAS_BPF_COOKIE':
      return since(5, 15);
    case 'LINUX_HAS_SYSCALL_WRAPPER':
      return since(4, 17);
    default:
      return options.kconfig.get(name);
  }
}

/** enum libbpf_tristate. */
const TRISTATE: Readonly<Record<string, number>> = { n: 0, y: 1, m: 2 };

/** Writes `text` into a value of the type; false when the type cannot hold it. */
function write(into: Uint8Array, type: BtfType, text: string): boolean {
  if (type.kind === 'array') {
    const string = Buffer.from(text.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/gs, '$1'));
    if (into.length === 0) return false;
    into.set(string.subarray(0, into.length - 1)); // Cut to fit, always with its NUL.
    return true;
  }
  if (type.kind === 'int' && type.char && !(text in TRISTATE)) return false;
  const isLetter = Object.hasOwn(TRISTATE, text);
  if (isLetter && type.kind === 'int' && type.char) into[0] = text.charCodeAt(0);
  else if (isLetter && type.kind === 'int' && type.bool) {
    if (text === 'm') return false;
    into[0] = TRISTATE[text]!;
  } else if (isLetter) into[0] = TRISTATE[text]!;
  else return writeInteger(into, type, text);
  return true;
}

function writeInteger(into: Uint8Array, type: BtfType, text: string): boolean {
  if (type.kind !== 'int' || type.bool || !/^-?(0x[0-9a-f]+|\d+)$/i.test(text)) return false;
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  const bits = BigInt(into.length * 8);
  const least = type.signed ? -(1n << (bits - 1n)) : 0n;
  const most = type.signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  if (value < least || value > most) return false;
  for (let i = 0; i < into.length; i++) into[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return true;
}

/** The map that holds `value`. */
export function kconfigMap(file: string, btf: Btf | undefined, value: Uint8Array): MapSpec {
  const id = btf?.find('.kconfig', 'datasec');
  return {
    name: dataMapName(file, '.kconfig'),
    type: 'array',
    keySize: 4,
    valueSize: value.length,
    maxEntries: 1,
    flags: F_RDONLY_PROG | F_MMAPABLE,
    mapExtra: 0,
    ...(id !== undefined && { btfValueTypeId: id }),
    frozen: true,
    initial: value,
  };
}
