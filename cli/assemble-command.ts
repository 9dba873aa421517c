/** `ringfence assemble`: text in, a manifest of one program out. */
import { writeFileSync } from 'node:fs';
import { assembleProgram } from '../isa/index.ts';
import { HELPER_IDS } from '../programs/file/index.ts';
import { writeManifest } from '../programs/manifest/index.ts';
import { EXIT, type ExitCode, UsageError } from './exit-code.ts';
import { readBytes } from './input.ts';
import type { Output } from './verify-command.ts';

export interface AssembleOptions {
  readonly output?: string;
}

/** Throws InputError with line and column, UsageError when a file cannot be read or written. */
export function assembleCommand(path: string, options: AssembleOptions, output: Output): ExitCode {
  const text = new TextDecoder().decode(readBytes(path));
  const program = assembleProgram(text, path, HELPER_IDS);
  const manifest = `${writeManifest([program])}\n`;
  if (options.output === undefined) {
    output.out(manifest);
    return EXIT.proven;
  }
  try {
    writeFileSync(options.output, manifest);
  } catch (error) {
    throw new UsageError(
      `cannot write ${options.output}: ${(error as NodeJS.ErrnoException).code ?? error}`,
    );
  }
  return EXIT.proven;
}
