/**
 * Reads programs from the bytes of a file, whatever its form: an ELF object, a JSON manifest, or
 * assembly. The content decides, not the name.
 */
import { readFileSync } from 'node:fs';
import { type Btf, parseBtf } from '../../btf/index.ts';
import { assembleProgram, InputError, type Program } from '../../isa/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { readManifest } from '../manifest/index.ts';
import { type ObjectOptions, readObject } from '../object/index.ts';

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
/** Helper numbers by name, for assembly. */
export const HELPER_IDS: ReadonlyMap<string, number> = new Map(
  HELPERS.map(({ name, id }) => [name, id]),
);

const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/** Kernel types, parsed when they are first asked for: most programs need none. */
export type KernelBtfSource = () => Btf | undefined;

/** The running kernel's types; nothing where there are none. */
export function runningKernelBtf(): KernelBtfSource {
  let btf: Btf | undefined;
  let tried = false;
  return () => {
    if (tried) return btf;
    tried = true;
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(KERNEL_BTF);
    } catch {
      return undefined; // not Linux, or a kernel without BTF: programs that need it say so
    }
    return (btf = parseBtf(bytes, KERNEL_BTF));
  };
}

/** Options whose kernel types are parsed when the object first asks for them. */
function objectOptions(kernelBtf: KernelBtfSource): ObjectOptions {
  return {
    get kernelBtf() {
      return kernelBtf();
    },
  };
}

/** Every program in `bytes`; `path` is for messages. Throws InputError when it is malformed. */
export function programsOf(
  bytes: Uint8Array,
  path: string,
  kernelBtf: KernelBtfSource = () => undefined,
): Program[] {
  if (ELF_MAGIC.every((byte, i) => bytes[i] === byte))
    return readObject(bytes, path, objectOptions(kernelBtf));
  if (bytes.length === 0) throw new InputError(path, 0, 'the file is empty');
  const binary = bytes.indexOf(0);
  if (binary >= 0)
    throw new InputError(path, binary, 'neither an ELF object, a JSON manifest nor assembly text');
  const text = new TextDecoder().decode(bytes);
  if (/^\s*\{/.test(text)) return readManifest(text, path);
  return [assembleProgram(text, path, HELPER_IDS)];
}
