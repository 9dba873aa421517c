/** What commands read: files, bytes on the command line, kernel types. */
import { readFileSync } from 'node:fs';
import { type Btf, parseKernelBtf } from '../btf/index.ts';
import type { Program } from '../isa/index.ts';
import { type KernelBtfSource, programsOf, runningKernelBtf } from '../programs/file/index.ts';
import { UsageError } from './exit-code.ts';

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
 * Kernel types for CO-RE and BTF-typed programs: of a kernel and, behind commas, of its modules; or
 * the running kernel's when readable.
 */
export function kernelBtfSource(paths: string | undefined): KernelBtfSource {
  if (paths === undefined) return runningKernelBtf();
  let btf: Btf | undefined;
  return () => (btf ??= readKernelBtf(paths.split(',')));
}

function readKernelBtf(paths: readonly string[]): Btf {
  const [kernel, ...modules] = paths.map((file) => ({ bytes: readBytes(file), file }));
  return parseKernelBtf(kernel!, modules);
}

/** Every program of a file. Throws InputError when it is malformed, UsageError when unreadable. */
export const readPrograms = (path: string, kernelBtf: KernelBtfSource): Program[] =>
  programsOf(readBytes(path), path, kernelBtf);
