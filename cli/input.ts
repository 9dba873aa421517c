/**
 * Reads programs from a file, whatever its form: an ELF object, a JSON manifest, or assembly. The
 * content decides, not the name.
 */
import { readFileSync } from 'node:fs';
import { type Btf, parseBtf } from '../btf/index.ts';
import { assembleProgram, InputError, type Program } from '../isa/index.ts';
import { HELPERS } from '../platform/index.ts';
import { readManifest } from '../programs/manifest/index.ts';
import { type ObjectOptions, readObject } from '../programs/object/index.ts';
import { UsageError } from './exit-code.ts';

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
/** Helper numbers by name, for assembly. */
export const HELPER_IDS: ReadonlyMap<string, number> = new Map(
  HELPERS.map(({ name, id }) => [name, id]),
);

const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/** The bytes of a file. Throws UsageError with the system's reason. */
export function readBytes(path: string): Uint8Array {
  try {
    // Not the Buffer itself, whose slice() shares memory instead of copying.
    return Uint8Array.from(readFileSync(path));
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

/**
 * Bytes given on the command line: `hex:0a0b…`, or a file. Throws UsageError.
 */
export function bytesArgument(argument: string, option: string): Uint8Array {
  if (!argument.startsWith('hex:')) return readBytes(argument);
  const digits = argument.slice(4);
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new UsageError(
      `${option}: '${argument}' is not hex: followed by pairs of hexadecimal digits`,
    );
  }
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/**
 * Kernel types for CO-RE and BTF-typed programs: `path`, or the running kernel's when readable.
 * Parsed at the first request, since most programs need none.
 */
export function kernelBtfSource(path: string | undefined): () => Btf | undefined {
  let btf: Btf | undefined;
  let tried = false;
  return () => {
    if (tried) return btf;
    tried = true;
    if (path !== undefined) btf = parseBtf(readBytes(path), path);
    else btf = runningKernelBtf();
    return btf;
  };
}

function runningKernelBtf(): Btf | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(KERNEL_BTF);
  } catch {
    return undefined; // not Linux, or a kernel without BTF: programs that need it say so
  }
  return parseBtf(bytes, KERNEL_BTF);
}

/** Options whose kernel types are parsed when the object first asks for them. */
function objectOptions(kernelBtf: () => Btf | undefined): ObjectOptions {
  return {
    get kernelBtf() {
      return kernelBtf();
    },
  };
}

/** Every program of a file. Throws InputError when it is malformed, UsageError when unreadable. */
export function readPrograms(path: string, kernelBtf: () => Btf | undefined): Program[] {
  const bytes = readBytes(path);
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
